package replay

import (
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// Item is one message of a conversation's log, with its place and provenance.
type Item struct {
	// ConversationID is where it stands: of a conversation that forked from another, that may be the other one.
	ConversationID string
	// Seq is its place, which no other item on the way to it has.
	Seq          int64
	CompletionID string
	Message      llm.Message
	// Tokens are its own, TokensBefore those of all items before it, both by estimate.
	Tokens, TokensBefore int64
	// Provider and Model name who wrote the message; empty for what the client sent.
	Provider  string
	Model     string
	CreatedAt time.Time
}

// Loaded is the end of a conversation's log, as far as it was asked for.
type Loaded struct {
	// Items are those that were read, in order.
	Items []Item
	// System are the system messages before them.
	System []Item
	// Before is how many tokens the items before them have, by estimate; 0 if all were read.
	Before int64
	// Count and Tokens are those of the whole log.
	Count, Tokens int64
	// LastProvider and LastModel say who gave the last answer; empty if nobody did.
	LastProvider, LastModel string
}

// Erased marks the place of a part that was taken out of the log. It holds nothing and reaches no provider.
const Erased llm.PartType = "erased"

// Messages are those of some items, without the places of what was taken out.
func Messages(items []Item) []llm.Message {
	messages := make([]llm.Message, 0, len(items))
	for _, item := range items {
		messages = append(messages, present(item.Message))
	}
	return messages
}

// present is the message without the places of parts that were taken out.
func present(message llm.Message) llm.Message {
	kept := make([]llm.Part, 0, len(message.Parts))
	for _, part := range message.Parts {
		if part.Type != Erased {
			kept = append(kept, part)
		}
	}
	message.Parts = kept
	return message
}

// Summary is what a model wrote of a conversation's beginning.
type Summary struct {
	// FromSeq is the place behind what it stands in for.
	FromSeq      int64
	CompletionID string
	Message      llm.Message
	Tokens       int64
}
