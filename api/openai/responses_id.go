package openai

import (
	"regexp"
	"strconv"
	"strings"
)

const (
	completionPrefix   = "chatcmpl-"
	responsePrefix     = "resp_"
	conversationPrefix = "conv_"
)

// The prefixes of items' ids, which are OpenAI's for the types of item.
const (
	prefixMessage = "msg"
	prefixCall    = "fc"
	prefixOutput  = "fco"
	prefixThought = "rs"
)

// ResponseID is the id that a completion has as a response: the same characters behind another prefix.
func ResponseID(completionID string) string {
	return responsePrefix + strings.TrimPrefix(completionID, completionPrefix)
}

// CompletionID is the id of the completion that a response is. It says false of what cannot be the id of one.
func CompletionID(responseID string) (string, bool) {
	rest, ok := strings.CutPrefix(responseID, responsePrefix)
	if !ok || !drawn.MatchString(rest) {
		return "", false
	}
	return completionPrefix + rest, true
}

var (
	// drawn is the part of an id that is drawn by lot.
	drawn = regexp.MustCompile(`^[0-9a-z]{26}$`)
	// itemID is an item's: its type, whose it is, where there, and its number.
	itemID = regexp.MustCompile(`^(msg|fco|fc|rs)_([0-9a-z]{26})(?:([is])(\d{1,18}))?_(\d{1,9})$`)
)

// ItemPlace is where an item stands that an id names: in the answer of a completion, in its request, or in a conversation.
type ItemPlace struct {
	// Completion and Conversation are the whole ids; one of them is set.
	Completion   string
	Conversation string
	// Message counts the messages of the completion's request from 0; it is -1 for an item of the answer.
	Message int
	// Seq is the place of the message in the conversation's log.
	Seq int64
	// Item counts the items of the message from 0.
	Item int
	// Kind is the id's prefix: msg, fc, fco or rs.
	Kind string
}

// Answer reports whether the item stands in a completion's answer.
func (p ItemPlace) Answer() bool { return p.Completion != "" && p.Message < 0 }

// AnswerItems gives the ids of the items of a completion's answer, as [Items] wants them.
func AnswerItems(completionID string) func(prefix string, n int) string {
	return itemIDs(strings.TrimPrefix(completionID, completionPrefix))
}

// RequestItems gives the ids of the items of a message of a completion's request.
func RequestItems(completionID string, message int) func(prefix string, n int) string {
	return itemIDs(strings.TrimPrefix(completionID, completionPrefix) + "i" + strconv.Itoa(message))
}

// ConversationItems gives the ids of the items of a message of a conversation.
func ConversationItems(conversationID string, seq int64) func(prefix string, n int) string {
	return itemIDs(strings.TrimPrefix(conversationID, conversationPrefix) + "s" + strconv.FormatInt(seq, 10))
}

func itemIDs(place string) func(prefix string, n int) string {
	return func(prefix string, n int) string { return prefix + "_" + place + "_" + strconv.Itoa(n) }
}

// ParseItemID reads an id that [AnswerItems], [RequestItems] or [ConversationItems] gave. It says false of any other.
func ParseItemID(id string) (ItemPlace, bool) {
	match := itemID.FindStringSubmatch(id)
	if match == nil {
		return ItemPlace{}, false
	}
	kind, owner, in := match[1], match[2], match[3]
	number, err := strconv.ParseInt("0"+match[4], 10, 64)
	if err != nil {
		return ItemPlace{}, false
	}
	item, err := strconv.Atoi(match[5])
	if err != nil {
		return ItemPlace{}, false
	}
	place, written := ItemPlace{Completion: completionPrefix + owner, Message: -1, Item: item, Kind: kind}, AnswerItems(owner)
	switch in {
	case "i":
		place.Message, written = int(number), RequestItems(owner, int(number))
	case "s":
		place = ItemPlace{Conversation: conversationPrefix + owner, Seq: number, Item: item, Kind: kind}
		written = ConversationItems(owner, number)
	}
	return place, written(kind, item) == id // a number has one form, so that an item has one id
}
