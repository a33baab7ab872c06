// Package openai speaks OpenAI's Chat Completions, to OpenAI itself and to every host that imitates it.
//
// Conversation and parameters go out nearly as they are. What cannot: image and audio parts, response formats, log
// probabilities and reasoning effort, which the canonical request does not hold. The client's metadata is its own label
// and is not sent (OpenAI takes it only together with store). Reasoning models get max_completion_tokens and no sampling
// parameters; all others get max_tokens, the name that compatible hosts know.
//
// Documentation: https://platform.openai.com/docs/api-reference/chat and
// https://platform.openai.com/docs/guides/error-codes.
package openai
