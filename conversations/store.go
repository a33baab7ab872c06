package conversations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

// Store keeps conversations in PostgreSQL. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
}

// NewStore makes a store over the pool.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Create begins an empty conversation, or one that already holds items.
func (s *Store) Create(ctx context.Context, tenant string, metadata map[string]string, items []Item) (Conversation, error) {
	conversation := Conversation{ID: NewID(), Tenant: tenant, Metadata: metadata}
	if conversation.Metadata == nil {
		conversation.Metadata = map[string]string{}
	}
	err := postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		const insert = `INSERT INTO conversations (id, tenant, metadata) VALUES ($1, $2, $3) RETURNING created_at`
		row := tx.QueryRow(ctx, insert, conversation.ID, tenant, conversation.Metadata)
		if err := row.Scan(&conversation.CreatedAt); err != nil {
			return err
		}
		return appendItems(ctx, tx, conversation.ID, "", items)
	})
	if err != nil {
		return Conversation{}, fmt.Errorf("creating a conversation: %w", err)
	}
	return conversation, nil
}

const columns = `id, tenant, metadata, created_at, coalesce(active_completion, '')`

func scan(row pgx.CollectableRow) (Conversation, error) {
	var c Conversation
	err := row.Scan(&c.ID, &c.Tenant, &c.Metadata, &c.CreatedAt, &c.Active)
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
		WHERE tenant = $1 AND ($3 = '' OR (created_at, id) < (SELECT created_at, id FROM conversations WHERE id = $3 AND tenant = $1))
		ORDER BY created_at DESC, id DESC LIMIT $2`
	rows, _ := s.pool.Query(ctx, query, tenant, limit, before)
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("listing conversations: %w", err)
	}
	return list, nil
}

// Items reads the log in order, from after the given place, at most limit items; limit 0 reads all.
func (s *Store) Items(ctx context.Context, id string, after int64, limit int) ([]Item, error) {
	return s.items(ctx, id, `seq > $2 ORDER BY seq`, after, limit)
}

// ItemsBackward reads the log newest first, from before the given place (0 means from the end).
func (s *Store) ItemsBackward(ctx context.Context, id string, before int64, limit int) ([]Item, error) {
	return s.items(ctx, id, `($2 = 0 OR seq < $2) ORDER BY seq DESC`, before, limit)
}

// Replay puts the whole log in front of a turn's new messages: what the next provider is given.
func (s *Store) Replay(ctx context.Context, id string, turn []llm.Message) ([]llm.Message, error) {
	log, err := s.Items(ctx, id, 0, 0)
	if err != nil {
		return nil, err
	}
	messages := make([]llm.Message, 0, len(log)+len(turn))
	for _, item := range log {
		messages = append(messages, item.Message)
	}
	return append(messages, turn...), nil
}

// LastAnswer says who gave the conversation's last answer; zero if nobody did.
func (s *Store) LastAnswer(ctx context.Context, id string) (last failover.LastAnswer, err error) {
	const query = `SELECT provider, model FROM conversation_items WHERE conversation_id = $1 AND provider <> '' ORDER BY seq DESC LIMIT 1`
	err = s.pool.QueryRow(ctx, query, id).Scan(&last.Provider, &last.Model)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return last, fmt.Errorf("reading who answered in %s: %w", id, err)
	}
	return last, nil
}

func (s *Store) items(ctx context.Context, id, where string, place int64, limit int) ([]Item, error) {
	query := `SELECT seq, completion_id, message, provider, model, created_at FROM conversation_items
		WHERE conversation_id = $1 AND ` + where + ` LIMIT nullif($3, 0)`
	rows, _ := s.pool.Query(ctx, query, id, place, limit)
	items, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Item, error) {
		var item Item
		var message []byte
		err := row.Scan(&item.Seq, &item.CompletionID, &message, &item.Provider, &item.Model, &item.CreatedAt)
		if err != nil {
			return item, err
		}
		return item, json.Unmarshal(message, &item.Message)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s: %w", id, err)
	}
	return items, nil
}
