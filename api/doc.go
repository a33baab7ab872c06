// Package api is the thin HTTP layer: it authenticates, decodes a dialect into an llm.Request, records the acceptance,
// starts the workflow and waits for its outcome. It decides nothing about providers.
//
//	api/openai   the dialect of OpenAI's chat completions: pure decoding and encoding
//
// Two listeners: the public one for applications, the admin one for operators. What a client reads on failure comes from
// one place, problem.go, and names no infrastructure.
package api
