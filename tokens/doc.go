// Package tokens counts how many tokens a request has: roughly from its bytes, which costs nothing, or by OpenAI's own tokenizer,
// which costs a millisecond for five thousand tokens. It asks nobody.
package tokens
