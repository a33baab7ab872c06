// Package anthropic is Anthropic's Messages dialect: it decodes the bodies of POST /v1/messages and of its count_tokens into
// a [dialect.Request], and encodes an [llm.Response], whole or event by event, as the objects that Anthropic's SDKs parse. It
// is pure; what it does not support it refuses by name.
//
// Field meanings: https://platform.claude.com/docs/en/api/messages
//
// # What vendors want back
//
// A thought's signature is what its vendor wants back, sealed ([dialect.Seal]). Texts, tool calls and the tools that a vendor
// ran itself have no member for such a piece, and SDKs hand back known members only. But clients hand back every
// redacted_thinking block unchanged, as Anthropic demands of them: so such a block stands behind the one that the piece
// belongs to, and its data says which that is ([attachment]). Where that block is gone or was changed, the piece is dropped.
//
// # What is taken and has no effect
//
// context_management (the conversation is sent as it is), diagnostics, a tool's defer_loading, eager_input_streaming,
// allowed_callers and input_examples, citations in the history, and service_tier, whose two values ask for nothing that is to
// be had here.
package anthropic
