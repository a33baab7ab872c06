package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
)

// Stored asks for a page of the completions that a client wanted kept.
type Stored struct {
	Tenant, Dialect string
	// Model is the route, or the model that answered; empty is any.
	Model string
	// Metadata are notes that they all carry.
	Metadata map[string]string
	// After is the id of the last one seen; empty begins. Ascending lists the oldest first.
	After     string
	Ascending bool
	Limit     int
}

// ListStored reads a page of the completions that a client wanted kept and that were answered.
func (s *Store) ListStored(ctx context.Context, ask Stored) ([]completions.Outcome, error) {
	order, beyond := "DESC", "<"
	if ask.Ascending {
		order, beyond = "ASC", ">"
	}
	var metadata any
	if len(ask.Metadata) > 0 {
		metadata = ask.Metadata
	}
	query := `SELECT ` + completionColumns + `, a.body FROM completions c JOIN completion_answers a ON a.completion_id = c.id
		WHERE c.tenant = $1 AND c.stored = 'yes' AND c.dialect = $2 AND c.state = 'succeeded'
		AND ($3 = '' OR c.route = $3 OR c.model = $3) AND ($4::jsonb IS NULL OR c.metadata @> $4::jsonb)
		AND ($5 = '' OR (c.accepted_at, c.id) ` + beyond + ` (SELECT accepted_at, id FROM completions WHERE id = $5 AND tenant = $1))
		ORDER BY c.accepted_at ` + order + `, c.id ` + order + ` LIMIT $6`
	rows, _ := s.pool.Query(ctx, query, ask.Tenant, ask.Dialect, ask.Model, metadata, ask.After, ask.Limit)
	list, err := pgx.CollectRows(rows, s.scanOutcome(ctx))
	if err != nil {
		return nil, fmt.Errorf("listing stored completions: %w", err)
	}
	return list, nil
}

// scanOutcome reads a completion with its answer from a row.
func (s *Store) scanOutcome(ctx context.Context) pgx.RowToFunc[completions.Outcome] {
	return func(row pgx.CollectableRow) (completions.Outcome, error) {
		var outcome completions.Outcome
		var providerMS int64
		var body []byte
		if err := row.Scan(append(completionFields(&outcome.Completion, &providerMS), &body)...); err != nil {
			return outcome, err
		}
		outcome.Completion.ProviderTime = time.Duration(providerMS) * time.Millisecond
		if body == nil {
			return outcome, nil
		}
		outcome.Answer = new(llm.Response)
		return outcome, s.box.Unmarshal(ctx, body, outcome.Answer)
	}
}

// SetMetadata replaces the notes on a completion. The error is [completions.ErrNotFound] if the tenant has none of this id whose
// content is there.
func (s *Store) SetMetadata(ctx context.Context, tenant, id string, metadata map[string]string) error {
	const update = `UPDATE completions SET metadata = $3 WHERE id = $1 AND tenant = $2 AND erased_at IS NULL`
	tag, err := s.pool.Exec(ctx, update, id, tenant, metadata)
	if err != nil {
		return fmt.Errorf("changing the metadata of %s: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return completions.ErrNotFound
	}
	return nil
}

// Shown reads what of the request its dialect shows, in the dialect's own form; nil if nothing.
func (s *Store) Shown(ctx context.Context, id string) (shown json.RawMessage, err error) {
	err = s.pool.QueryRow(ctx, `SELECT shown FROM completion_requests WHERE completion_id = $1`, id).Scan(&shown)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("reading what is shown of %s: %w", id, err)
	}
	if shown == nil {
		return nil, nil
	}
	if shown, err = s.box.Open(ctx, shown); err != nil {
		return nil, fmt.Errorf("opening what is shown of %s: %w", id, err)
	}
	return shown, nil
}
