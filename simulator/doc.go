// Package simulator stands in for the model vendors. It serves their wire protocols truly enough that the vendors' own Go
// SDKs cannot tell: headers, ids, usage blocks, streams and, above all, errors. Requests are validated as strictly as the
// vendors validate them, so that an adapter that renders a conversation wrongly fails here and not in production.
//
// Spoken are OpenAI's Chat Completions, Responses and Embeddings, the same at Azure; Anthropic's Messages, also on Vertex AI;
// Gemini's generateContent and embedContent, also on Vertex AI; and what [Vendors] lists besides. Each answers whole or as a
// stream. What a vendor signs (thinking, thought signatures, encrypted reasoning) is signed here with an HMAC over the vendor,
// the model and the thought, and verified when it comes back: signatures of another vendor or model are refused.
//
// Faults are scripted per vendor with [Fault]: an outage, a rate limit with Retry-After, a hang, a reset connection, a
// broken body, for the next N calls, for a share of the calls, or until a time. A [StreamFault] breaks a stream after its
// status, or reshapes it within what its standard allows. Every call is recorded ([Call]), so that a test can say what
// reached which vendor.
//
//	sim := simulator.New(simulator.Options{})
//	defer sim.Close()
//	server := httptest.NewServer(sim.Handler(simulator.OpenAI))
//	sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 503, Count: 2})
//	sim.SetFault(simulator.OpenAI, simulator.Fault{Stream: &simulator.StreamFault{Kind: simulator.StreamCut, After: 3}})
//
// A vendor may have a [Limit] on requests and tokens a minute, which it announces and enforces as the vendor does: see
// [Simulator.SetLimit] and [Simulator.Limits]. Calls that cost nothing (listings of models, counts of tokens) are outside of it.
//
// [Serve] listens on real ports, [Simulator.ControlHandler] and [Client] script faults over HTTP:
//
//	{"code":"overloaded","stream":{"kind":"error","after":2},"count":1}
//
// The default answer echoes the last user text: "[openai/gpt-4.1] You said: …". A user text that says "call the tool NAME"
// (or "call the tools A and B", or "… in parallel") is answered with tool calls, if the request offers such tools. A request
// that asks to see the model's thinking is shown some. Embeddings are made up from a hash of the text.
//
// [Simulator.Administration] serves what vendors have for making and deleting credentials: what is made there is accepted from then
// on, what is deleted is not. [AdminFault] has it fail before its work or after it.
//
// But for credentials the simulator keeps no state between calls: what OpenAI's Responses would have stored is not found, except that a reasoning
// item without its encrypted content is taken for stored unless the request says store: false.
//
// Protocol facts come from the vendors' API references (platform.openai.com/docs/api-reference, docs.claude.com/en/api,
// ai.google.dev/api, learn.microsoft.com/azure, cloud.google.com/vertex-ai), the types of their Go SDKs, and error texts seen
// in the wild. Where this package is stricter than a vendor, the place says so.
package simulator
