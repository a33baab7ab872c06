// Package openai is what OpenAI's clients speak: chat completions, responses, conversations and embeddings. It decodes a request
// body into a [dialect.Request] and encodes an [llm.Response] as the object that OpenAI's SDKs parse. It is pure; what it does not
// support it refuses by name.
//
// Field meanings: https://platform.openai.com/docs/api-reference
package openai
