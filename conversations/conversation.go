package conversations

import (
	"crypto/rand"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

var (
	// ErrNotFound says that the conversation does not exist for this tenant.
	ErrNotFound = errors.New("no such conversation")
	// ErrBusy says that another turn of the conversation is in flight.
	ErrBusy = errors.New("another completion is running on this conversation")
)

// Conversation is the head of a log.
type Conversation struct {
	ID        string
	Tenant    string
	Metadata  map[string]string
	CreatedAt time.Time
	// Active is the completion whose turn is in flight; empty if none is.
	Active string
}

// Item is one message of the log, with its place and provenance.
type Item struct {
	Seq          int64
	CompletionID string
	Message      llm.Message
	// Provider and Model name who wrote the message; empty for what the client sent.
	Provider  string
	Model     string
	CreatedAt time.Time
}

var idPattern = regexp.MustCompile(`^conv_[A-Za-z0-9]{1,59}$`)

// NewID makes an id in the form that OpenAI gives conversations.
func NewID() string {
	return "conv_" + strings.ToLower(rand.Text())
}

// ValidID says whether the text can be a conversation's id.
func ValidID(id string) bool { return idPattern.MatchString(id) }
