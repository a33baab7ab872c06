package conversations

import (
	"crypto/rand"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/replay"
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
	// Thread says that a response began it by itself: clients do not list it.
	Thread bool
	// Tokens are those of all its items, by estimate.
	Tokens int64
	// ActiveAt is when its log last grew.
	ActiveAt time.Time
}

// Item is one message of the log, with its place and provenance.
type Item = replay.Item

var (
	idPattern     = regexp.MustCompile(`^conv_[A-Za-z0-9]{1,59}$`)
	threadPattern = regexp.MustCompile(`^thread_[a-z0-9]{1,59}$`)
)

// ThreadID is the id of the thread that a response begins, or forks. It is made from the completion's, so that a repetition
// makes the same; clients do not see it.
func ThreadID(completionID string) string {
	_, id, _ := strings.Cut(completionID, "-")
	return "thread_" + id
}

// NewID makes an id in the form that OpenAI gives conversations.
func NewID() string {
	return "conv_" + strings.ToLower(rand.Text())
}

// ValidID says whether the text can be a conversation's id.
func ValidID(id string) bool { return idPattern.MatchString(id) }

// ValidThreadID says whether the text can be the id of a thread, which operators may name and clients may not.
func ValidThreadID(id string) bool { return threadPattern.MatchString(id) }
