// Package simulator stands in for the model vendors. It serves the wire protocols of OpenAI's Chat Completions, Anthropic's
// Messages and Gemini's generateContent truly enough that the vendors' own Go SDKs cannot tell: headers, ids, usage blocks,
// and, above all, errors. Requests are validated as strictly as the vendors validate them, so that an adapter that renders
// a conversation wrongly fails here and not in production. Answers are not streamed: a request to stream is refused in the
// vendor's shape.
//
// Faults are scripted per vendor with [Fault]: an outage, a rate limit with Retry-After, a hang, a reset connection, a
// broken body, for the next N calls, for a share of the calls, or until a time. Every call is recorded ([Call]), so that a
// test can say what reached which vendor.
//
//	sim := simulator.New(simulator.Options{})
//	defer sim.Close()
//	server := httptest.NewServer(sim.Handler(simulator.OpenAI))
//	sim.SetFault(simulator.OpenAI, simulator.Fault{Status: 503, Count: 2})
//
// [Serve] listens on real ports, [Simulator.ControlHandler] and [Client] script faults over HTTP.
//
// The default answer echoes the last user text: "[openai/gpt-4.1] You said: …". A user text that says "call the tool NAME"
// (or "call the tools A and B", or "… in parallel") is answered with tool calls, if the request offers such tools.
//
// Protocol facts come from the vendors' API references (platform.openai.com/docs/api-reference, docs.claude.com/en/api,
// ai.google.dev/api), the types of their Go SDKs, and error texts seen in the wild. Where this package is stricter than a
// vendor, the place says so.
package simulator
