package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
	"github.com/holdfast-dev/holdfast/seal"
)

// Store keeps conversations in PostgreSQL. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	box  *seal.Box
}

// NewStore makes a store over the pool.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Sealed is the same store with a box in which it keeps what is said.
func (s *Store) Sealed(box *seal.Box) *Store { return &Store{pool: s.pool, box: box} }

// Create begins an empty conversation, or one that already holds items.
func (s *Store) Create(ctx context.Context, tenant string, metadata map[string]string, items []Item) (Conversation, error) {
	conversation := Conversation{ID: NewID(), Tenant: tenant, Metadata: metadata}
	if conversation.Metadata == nil {
		conversation.Metadata = map[string]string{}
	}
	err := postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		const insert = `INSERT INTO conversations (id, tenant, metadata) VALUES ($1, $2, $3) RETURNING created_at, active_at`
		row := tx.QueryRow(ctx, insert, conversation.ID, tenant, conversation.Metadata)
		if err := row.Scan(&conversation.CreatedAt, &conversation.ActiveAt); err != nil {
			return err
		}
		_, err := appendItems(ctx, tx, s.box, conversation.ID, "", items)
		return err
	})
	if err != nil {
		return Conversation{}, fmt.Errorf("creating a conversation: %w", err)
	}
	return conversation, nil
}

const columns = `id, tenant, metadata, created_at, coalesce(active_completion, ''), thread, tokens, active_at`

func scan(row pgx.CollectableRow) (Conversation, error) {
	var c Conversation
	err := row.Scan(&c.ID, &c.Tenant, &c.Metadata, &c.CreatedAt, &c.Active, &c.Thread, &c.Tokens, &c.ActiveAt)
	return c, err
}

// Find reads one conversation's head. The error is [ErrNotFound] when the tenant has none of that id.
func (s *Store) Find(ctx context.Context, tenant, id string) (Conversation, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+columns+` FROM conversations WHERE id = $1 AND tenant = $2`, id, tenant)
	conversation, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return Conversation{}, ErrNotFound
	}
	if err != nil {
		return Conversation{}, fmt.Errorf("reading conversation %s: %w", id, err)
	}
	return conversation, nil
}

// List reads a tenant's conversations, newest first. Before, if not empty, is the id to continue after.
func (s *Store) List(ctx context.Context, tenant string, limit int, before string) ([]Conversation, error) {
	const query = `SELECT ` + columns + ` FROM conversations
		WHERE tenant = $1 AND NOT thread AND ($3 = '' OR (created_at, id) < (SELECT created_at, id FROM conversations WHERE id = $3 AND tenant = $1))
		ORDER BY created_at DESC, id DESC LIMIT $2`
	rows, _ := s.pool.Query(ctx, query, tenant, limit, before)
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("listing conversations: %w", err)
	}
	return list, nil
}

// SetMetadata replaces a conversation's metadata. The error is [ErrNotFound] when the tenant has none of that id.
func (s *Store) SetMetadata(ctx context.Context, tenant, id string, metadata map[string]string) (Conversation, error) {
	if metadata == nil {
		metadata = map[string]string{}
	}
	const update = `UPDATE conversations SET metadata = $3 WHERE id = $1 AND tenant = $2 RETURNING ` + columns
	rows, _ := s.pool.Query(ctx, update, id, tenant, metadata)
	conversation, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return Conversation{}, ErrNotFound
	}
	if err != nil {
		return Conversation{}, fmt.Errorf("changing the metadata of %s: %w", id, err)
	}
	return conversation, nil
}

// Append adds items that no completion made. The error is [ErrBusy] while a completion is at the conversation: its turn comes
// behind what it was asked after.
func (s *Store) Append(ctx context.Context, tenant, id string, items []Item) (added []Item, err error) {
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := lockIdle(ctx, tx, tenant, id); err != nil {
			return err
		}
		added, err = appendItems(ctx, tx, s.box, id, "", items)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrBusy) {
		return nil, fmt.Errorf("adding to %s: %w", id, err)
	}
	return added, err
}

// lockIdle keeps turns away from a conversation until the transaction ends.
func lockIdle(ctx context.Context, tx pgx.Tx, tenant, id string) error {
	var active string
	const lock = `SELECT coalesce(active_completion, '') FROM conversations WHERE id = $1 AND tenant = $2 FOR UPDATE`
	switch err := tx.QueryRow(ctx, lock, id, tenant).Scan(&active); {
	case errors.Is(err, pgx.ErrNoRows):
		return ErrNotFound
	case err != nil:
		return err
	case active != "":
		return ErrBusy
	default:
		return nil
	}
}

// RemoveParts takes parts of an item's message out of the log, by their indexes. The places of the other parts stay; an item
// of which nothing is left is deleted. The error is [ErrBusy] while a completion is at the conversation, which may be reading
// them.
func (s *Store) RemoveParts(ctx context.Context, tenant, id string, item Item, parts []int) error {
	err := postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := lockIdle(ctx, tx, tenant, id); err != nil {
			return err
		}
		message, left := without(item.Message, parts)
		if !left {
			_, err := tx.Exec(ctx, `DELETE FROM conversation_items WHERE conversation_id = $1 AND seq = $2`, item.ConversationID, item.Seq)
			return err
		}
		body, err := s.box.Marshal(message)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE conversation_items SET message = $3 WHERE conversation_id = $1 AND seq = $2`, item.ConversationID, item.Seq, body)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrBusy) {
		return fmt.Errorf("taking an item out of %s: %w", id, err)
	}
	return err
}

// without is the message without some of its parts, one item together, in whose place a mark stands; left says whether any others are there.
func without(message llm.Message, parts []int) (_ llm.Message, left bool) {
	kept := make([]llm.Part, 0, len(message.Parts))
	marked := false
	for i, part := range message.Parts {
		switch {
		case !slices.Contains(parts, i):
			kept = append(kept, part)
			left = left || part.Type != replay.Erased
		case !marked:
			kept, marked = append(kept, llm.Part{Type: replay.Erased}), true
		}
	}
	message.Parts = kept
	return message, left
}
