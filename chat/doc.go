// Package chat is a conversation in a terminal, through the public API: what "holdfast chat" does.
//
// It is a client as any other would be, and shares no code with the server. An [Answer] is read over any number of connections:
// when one breaks, the next goes on behind the place that the last event named, or repeats the request under its key if no place
// is known yet. What was shown is never shown again. A [Session] reads lines, sends messages, and obeys commands.
package chat
