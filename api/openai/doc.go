// Package openai is OpenAI's chat completions dialect: it decodes a request body into an [llm.Request] and encodes an
// [llm.Response] as the object that OpenAI's SDKs parse. It is pure; what it does not support it refuses by name.
//
// Field meanings: https://platform.openai.com/docs/api-reference/chat
package openai
