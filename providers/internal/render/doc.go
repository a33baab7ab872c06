// Package render holds what the adapters share when they turn a canonical conversation into a vendor's: whole
// tool exchanges, ids that every vendor takes, and alternating turns. All of it is pure and deterministic, and the
// rendering of a conversation is a prefix of the rendering of its continuation: vendors' prompt caches depend on it.
//
// The one exception is a tool call that is still unanswered at the end, which must be answered by a stand-in to be
// accepted at all.
package render
