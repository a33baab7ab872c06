package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/completions"
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

// RemoveItem takes a part of the message at a place out of the log: pick says which of its parts, as indexes, and none if they are
// not there any more. The numbers of the others stay; a message of which nothing is left is deleted. Summaries that may tell of it
// go too. The error is [ErrNotFound] if there is nothing to be taken out, and [ErrBusy] while a completion is at the conversation,
// which may be reading it.
func (s *Store) RemoveItem(ctx context.Context, tenant, id string, seq int64, pick func(llm.Message) []int) error {
	err := postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := lockIdle(ctx, tx, tenant, id); err != nil {
			return err
		}
		var body []byte
		const find = `SELECT message FROM conversation_items WHERE conversation_id = $1 AND seq = $2`
		err := tx.QueryRow(ctx, find, id, seq).Scan(&body)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		}
		var message llm.Message
		if err == nil {
			err = s.box.Unmarshal(ctx, body, &message)
		}
		if err != nil {
			return err
		}
		parts := pick(message)
		if len(parts) == 0 {
			return ErrNotFound
		}
		if err := forgetSummaries(ctx, tx, id, seq); err != nil {
			return err
		}
		message, left := without(message, parts)
		if !left {
			_, err := tx.Exec(ctx, `DELETE FROM conversation_items WHERE conversation_id = $1 AND seq = $2`, id, seq)
			return err
		}
		if body, err = s.box.Marshal(message); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE conversation_items SET message = $3 WHERE conversation_id = $1 AND seq = $2`, id, seq, body)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrBusy) {
		return fmt.Errorf("taking an item out of %s: %w", id, err)
	}
	return err
}

// forgetSummaries takes away what was written of a place, in the conversation and in all that fork from it. What the summaries'
// own completions hold of it goes within minutes.
func forgetSummaries(ctx context.Context, tx pgx.Tx, id string, seq int64) error {
	const tree = `WITH RECURSIVE tree AS (
			SELECT $1::text AS id UNION ALL SELECT c.id FROM conversations c JOIN tree t ON c.parent_id = t.id) `
	if _, err := tx.Exec(ctx, tree+`DELETE FROM conversation_summaries WHERE conversation_id IN (SELECT id FROM tree) AND from_seq > $2`, id, seq); err != nil {
		return err
	}
	const written = `UPDATE completions SET content_until = clock_timestamp()
		WHERE dialect = $2 AND erased_at IS NULL AND conversation_id IN (SELECT id FROM tree)`
	_, err := tx.Exec(ctx, tree+written, id, completions.DialectSummary)
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
