package conversations

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Standing is a conversation as operators see it: its head, and what has become of it.
type Standing struct {
	Conversation
	// Parent is the conversation that it forked from; empty if it began by itself.
	Parent string
	// Items are the messages on the way to its end, those of what it forked from among them.
	Items int64
	// Forks are conversations that go on from one of its turns, the newest first, at most [mostForks]; LastProvider and LastModel
	// say who answered last. Only [Store.Standing] reads them.
	Forks                   []string
	LastProvider, LastModel string
}

// Listing asks operators' page of conversations.
type Listing struct {
	// Tenant is whose are listed; empty is anybody's.
	Tenant string
	// Threads lists also what responses have begun by themselves.
	Threads bool
	// After is the id of the last one seen; empty begins.
	After string
	Limit int
}

// standing are the columns of a conversation c, with those that only operators see. The items are counted on the way to its end: a
// fork's first ones stand in its parent.
const standing = columns + `, coalesce(parent_id, ''), (
	WITH RECURSIVE path AS (
		SELECT c.id, c.parent_id, coalesce(c.parent_seq, 0) AS after, 9223372036854775807::bigint AS until
		UNION ALL
		SELECT up.id, up.parent_id, coalesce(up.parent_seq, 0), path.after FROM conversations up JOIN path ON up.id = path.parent_id)
	SELECT count(*) FROM path JOIN conversation_items i ON i.conversation_id = path.id AND i.seq > path.after AND i.seq <= path.until)`

func scanStanding(row pgx.CollectableRow) (Standing, error) {
	var at Standing
	err := row.Scan(&at.ID, &at.Tenant, &at.Metadata, &at.CreatedAt, &at.Active, &at.Thread, &at.Tokens, &at.ActiveAt, &at.Parent, &at.Items)
	return at, err
}

// ListStanding reads a page of conversations, the newest first.
func (s *Store) ListStanding(ctx context.Context, ask Listing) ([]Standing, error) {
	const query = `SELECT ` + standing + ` FROM conversations c
		WHERE ($1 = '' OR tenant = $1) AND ($2 OR NOT thread)
		AND ($3 = '' OR (created_at, id) < (SELECT created_at, id FROM conversations WHERE id = $3))
		ORDER BY created_at DESC, id DESC LIMIT $4`
	rows, _ := s.pool.Query(ctx, query, ask.Tenant, ask.Threads, ask.After, ask.Limit)
	list, err := pgx.CollectRows(rows, scanStanding)
	if err != nil {
		return nil, fmt.Errorf("listing conversations for an operator: %w", err)
	}
	return list, nil
}

// mostForks bounds the forks that are named of one conversation.
const mostForks = 100

// Standing reads one conversation, whoever began it. An empty tenant means any. The error is [ErrNotFound] if there is none.
func (s *Store) Standing(ctx context.Context, tenant, id string) (Standing, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+standing+` FROM conversations c WHERE id = $1 AND ($2 = '' OR tenant = $2)`, id, tenant)
	at, err := pgx.CollectExactlyOneRow(rows, scanStanding)
	if errors.Is(err, pgx.ErrNoRows) {
		return Standing{}, ErrNotFound
	}
	if err != nil {
		return Standing{}, fmt.Errorf("reading conversation %s for an operator: %w", id, err)
	}
	rows, _ = s.pool.Query(ctx, `SELECT id FROM conversations WHERE parent_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2`, id, mostForks)
	if at.Forks, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return Standing{}, fmt.Errorf("listing the forks of %s: %w", id, err)
	}
	path, err := s.path(ctx, id)
	if err != nil {
		return Standing{}, err
	}
	at.LastProvider, at.LastModel, err = s.lastAnswer(ctx, path)
	return at, err
}
