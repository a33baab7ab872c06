package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
)

// ExportLine is one line of an export. Type says which of the others is set.
type ExportLine struct {
	Type         string                `json:"type"` // conversation, item or completion
	Conversation *ExportedConversation `json:"conversation,omitempty"`
	Item         *ExportedItem         `json:"item,omitempty"`
	Completion   *ExportedCompletion   `json:"completion,omitempty"`
}

// ExportedConversation is the head of a conversation.
type ExportedConversation struct {
	ID        string            `json:"id"`
	Tenant    string            `json:"tenant"`
	Metadata  map[string]string `json:"metadata"`
	CreatedAt time.Time         `json:"created_at"`
	// Thread says that a response began it by itself.
	Thread bool `json:"thread,omitempty"`
}

// ExportedItem is a message of a conversation's log, with who wrote it.
type ExportedItem struct {
	ConversationID string      `json:"conversation"`
	Seq            int64       `json:"seq"`
	CompletionID   string      `json:"completion,omitempty"`
	Provider       string      `json:"provider,omitempty"`
	Model          string      `json:"model,omitempty"`
	CreatedAt      time.Time   `json:"created_at"`
	Message        llm.Message `json:"message"`
}

// ExportItem is an item of a log as exports have it.
func ExportItem(item conversations.Item) ExportedItem {
	return ExportedItem{
		ConversationID: item.ConversationID, Seq: item.Seq, CompletionID: item.CompletionID, Provider: item.Provider,
		Model: item.Model, CreatedAt: item.CreatedAt, Message: item.Message,
	}
}

// ExportedCompletion is a completion with what was asked and answered.
type ExportedCompletion struct {
	completions.Completion
	Request *llm.Request  `json:"request,omitempty"`
	Answer  *llm.Response `json:"answer,omitempty"`
}

// ExportConversation gives all that is kept of a conversation: its head, its items in order, and its completions. The error is
// [conversations.ErrNotFound] if the tenant has no such conversation.
func (s *Store) ExportConversation(ctx context.Context, tenant, id string, write func(ExportLine) error) error {
	log := conversations.NewStore(s.pool).Sealed(s.box)
	head, err := log.Find(ctx, tenant, id)
	if err != nil {
		return err
	}
	line := ExportLine{Type: "conversation", Conversation: &ExportedConversation{
		ID: head.ID, Tenant: head.Tenant, Metadata: head.Metadata, CreatedAt: head.CreatedAt, Thread: head.Thread,
	}}
	if err := write(line); err != nil {
		return err
	}
	for after := int64(0); ; {
		items, err := log.Items(ctx, id, after, exportPage)
		if err != nil {
			return err
		}
		for _, item := range items {
			exported := ExportItem(item)
			if err := write(ExportLine{Type: "item", Item: &exported}); err != nil {
				return err
			}
			after = item.Seq
		}
		if len(items) < exportPage {
			break
		}
	}
	return s.exportCompletions(ctx, `c.tenant = $1 AND c.conversation_id = $2`, tenant, id, write)
}

// ExportUser gives all that is kept of an end user: each conversation in which something was said for them, whole if it is theirs
// alone, and all their completions.
func (s *Store) ExportUser(ctx context.Context, tenant, user string, write func(ExportLine) error) error {
	const own = `SELECT DISTINCT p.conversation_id FROM completions p JOIN conversations c ON c.id = p.conversation_id
		WHERE p.tenant = $1 AND p.end_user = $2
		AND NOT EXISTS (SELECT FROM completions o WHERE o.conversation_id = p.conversation_id AND o.end_user <> $2 AND o.erased_at IS NULL)`
	rows, _ := s.pool.Query(ctx, own, tenant, user)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("looking for conversations of an end user: %w", err)
	}
	inConversation := func(line ExportLine) error {
		if line.Type == "completion" { // they come with all others of the user
			return nil
		}
		return write(line)
	}
	for _, id := range ids {
		if err := s.ExportConversation(ctx, tenant, id, inConversation); err != nil {
			return err
		}
	}
	return s.exportCompletions(ctx, `c.tenant = $1 AND c.end_user = $2`, tenant, user, write)
}

// exportPage is how many rows are read at a time.
const exportPage = 100

func (s *Store) exportCompletions(ctx context.Context, where, tenant, whose string, write func(ExportLine) error) error {
	query := `SELECT ` + completionColumns + `, a.body FROM completions c LEFT JOIN completion_answers a ON a.completion_id = c.id
		WHERE ` + where + ` AND c.erased_at IS NULL AND ($3::timestamptz IS NULL OR (c.accepted_at, c.id) > ($3, $4))
		ORDER BY c.accepted_at, c.id LIMIT $5`
	var after *time.Time
	last := ""
	for {
		rows, _ := s.pool.Query(ctx, query, tenant, whose, after, last, exportPage)
		page, err := pgx.CollectRows(rows, s.scanOutcome(ctx))
		if err != nil {
			return fmt.Errorf("reading completions to export: %w", err)
		}
		for _, outcome := range page {
			exported := ExportedCompletion{Completion: outcome.Completion, Answer: outcome.Answer}
			request, err := s.Request(ctx, outcome.Completion.ID)
			switch {
			case err == nil:
				exported.Request = &request
			case !errors.Is(err, completions.ErrNotFound): // it may have been erased meanwhile
				return err
			}
			if err := write(ExportLine{Type: "completion", Completion: &exported}); err != nil {
				return err
			}
			after, last = &outcome.Completion.AcceptedAt, outcome.Completion.ID
		}
		if len(page) < exportPage {
			return nil
		}
	}
}
