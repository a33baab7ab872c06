// Package conversations keeps each conversation as an append-only, ordered log of canonical messages in PostgreSQL, with
// where each came from, and replays it in front of the next turn's messages.
//
// A turn is acquired when its request is accepted, and appended whole, question and answer, in the same transaction that
// records the completion's outcome: the log never holds half a turn, and a turn is never there twice. While one turn is in
// flight a second is refused with [ErrBusy].
//
// Rendering for a provider (ids, roles, tool pairs) is the provider adapters' work; the log is provider-neutral.
package conversations
