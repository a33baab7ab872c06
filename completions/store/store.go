package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/seal"
)

// Store is the record of completions in PostgreSQL. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	box  *seal.Box
}

// New makes a store over the pool.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Sealed is the same store with a box in which it keeps what is said.
func (s *Store) Sealed(box *seal.Box) *Store { return &Store{pool: s.pool, box: box} }

const completionColumns = `c.id, c.tenant, c.workflow_id, c.dialect, c.route, coalesce(c.conversation_id, ''), c.state,
	c.instance_id, c.epoch, c.accepted_at, c.deadline, c.finished_at, coalesce(c.provider, ''), coalesce(c.model, ''),
	c.attempts, c.failovers, c.provider_ms, c.error, c.recovery, c.served_from,
	c.stored, c.erased_at, c.background, c.end_user, c.metadata, c.replayed`

// completionFields are the scan targets that match completionColumns.
func completionFields(c *completions.Completion, providerMS *int64) []any {
	return []any{
		&c.ID, &c.Tenant, &c.WorkflowID, &c.Dialect, &c.Route, &c.ConversationID, &c.State, &c.InstanceID, &c.Epoch,
		&c.AcceptedAt, &c.Deadline, &c.FinishedAt, &c.Provider, &c.Model, &c.Attempts, &c.Failovers, providerMS, &c.Error, &c.Recovery,
		&c.ServedFrom, &c.Stored, &c.ErasedAt, &c.Background, &c.EndUser, &c.Metadata, &c.Replayed,
	}
}

func scanCompletion(row pgx.CollectableRow) (completions.Completion, error) {
	var c completions.Completion
	var providerMS int64
	err := row.Scan(completionFields(&c, &providerMS)...)
	c.ProviderTime = time.Duration(providerMS) * time.Millisecond
	return c, err
}

// Find reads one completion and its attempts. An empty tenant means any: for operators only.
func (s *Store) Find(ctx context.Context, tenant, id string) (completions.Completion, []completions.Attempt, error) {
	const query = `SELECT ` + completionColumns + ` FROM completions c WHERE c.id = $1 AND ($2 = '' OR c.tenant = $2)`
	rows, _ := s.pool.Query(ctx, query, id, tenant)
	completion, err := pgx.CollectExactlyOneRow(rows, scanCompletion)
	if errors.Is(err, pgx.ErrNoRows) {
		return completions.Completion{}, nil, completions.ErrNotFound
	}
	if err != nil {
		return completions.Completion{}, nil, fmt.Errorf("reading completion %s: %w", id, err)
	}
	attempts, err := s.Attempts(ctx, id)
	return completion, attempts, err
}

// List reads the newest completions. An empty tenant means any; before continues after that id.
func (s *Store) List(ctx context.Context, tenant string, state completions.State, limit int, before string) ([]completions.Completion, error) {
	const query = `SELECT ` + completionColumns + ` FROM completions c
		WHERE ($1 = '' OR c.tenant = $1) AND ($2 = '' OR c.state = $2)
		AND ($4 = '' OR (c.accepted_at, c.id) < (SELECT accepted_at, id FROM completions WHERE id = $4))
		ORDER BY c.accepted_at DESC, c.id DESC LIMIT $3`
	rows, _ := s.pool.Query(ctx, query, tenant, string(state), limit, before)
	list, err := pgx.CollectRows(rows, scanCompletion)
	if err != nil {
		return nil, fmt.Errorf("listing completions: %w", err)
	}
	return list, nil
}

// Plan reads who would have been called, and why, when the completion was taken up; nil if that is not on record.
func (s *Store) Plan(ctx context.Context, id string) (plan *failover.Plan, err error) {
	err = s.pool.QueryRow(ctx, `SELECT plan FROM completions WHERE id = $1`, id).Scan(&plan)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("reading the plan of %s: %w", id, err)
	}
	return plan, nil
}

// KeepPlan keeps who would be called, and why, of a completion whose first call comes later.
func (s *Store) KeepPlan(ctx context.Context, call completions.Fence, plan failover.Plan) error {
	const update = `UPDATE completions SET plan = $3 WHERE id = $1 AND epoch = $2 AND state = 'open'`
	if _, err := s.pool.Exec(ctx, update, call.ID, call.Epoch, plan); err != nil {
		return fmt.Errorf("keeping the plan of %s: %w", call.ID, err)
	}
	return nil
}

// Outcome reads a completion with its answer, if it has one.
func (s *Store) Outcome(ctx context.Context, tenant, id string) (completions.Outcome, error) {
	const query = `SELECT ` + completionColumns + `, a.body FROM completions c
		LEFT JOIN completion_answers a ON a.completion_id = c.id
		WHERE c.id = $1 AND ($2 = '' OR c.tenant = $2)`
	rows, _ := s.pool.Query(ctx, query, id, tenant)
	outcome, err := pgx.CollectExactlyOneRow(rows, s.scanOutcome(ctx))
	if errors.Is(err, pgx.ErrNoRows) {
		return completions.Outcome{}, completions.ErrNotFound
	}
	if err != nil {
		return completions.Outcome{}, fmt.Errorf("reading the outcome of %s: %w", id, err)
	}
	return outcome, nil
}

// Request reads the request as it was accepted.
func (s *Store) Request(ctx context.Context, id string) (llm.Request, error) {
	var body []byte
	var request llm.Request
	err := s.pool.QueryRow(ctx, `SELECT body FROM completion_requests WHERE completion_id = $1`, id).Scan(&body)
	if errors.Is(err, pgx.ErrNoRows) {
		return request, completions.ErrNotFound
	}
	if err != nil {
		return request, fmt.Errorf("reading the request of %s: %w", id, err)
	}
	if err := s.box.Unmarshal(ctx, body, &request); err != nil {
		return request, fmt.Errorf("decoding the request of %s: %w", id, err)
	}
	return request, nil
}
