package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

const attemptColumns = `number, epoch, instance_id, state, deployment, provider, model, key_name, chosen_because, error,
	decision, reason, usage, shown, started_at, finished_at`

func scanAttempt(row pgx.CollectableRow) (completions.Attempt, error) {
	var a completions.Attempt
	err := row.Scan(&a.Number, &a.Epoch, &a.InstanceID, &a.State, &a.Deployment, &a.Provider, &a.Model, &a.KeyName,
		&a.ChosenBecause, &a.Error, &a.Decision, &a.Reason, &a.Usage, &a.Shown, &a.StartedAt, &a.FinishedAt)
	return a, err
}

// Attempts reads the attempts of a completion in order.
func (s *Store) Attempts(ctx context.Context, id string) ([]completions.Attempt, error) {
	return attempts(ctx, s.pool, id)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func attempts(ctx context.Context, q querier, id string) ([]completions.Attempt, error) {
	rows, _ := q.Query(ctx, `SELECT `+attemptColumns+` FROM attempts WHERE completion_id = $1 ORDER BY number`, id)
	list, err := pgx.CollectRows(rows, scanAttempt)
	if err != nil {
		return nil, fmt.Errorf("reading the attempts of %s: %w", id, err)
	}
	return list, nil
}

const startFirst = `WITH driven AS (
		UPDATE completions SET instance_id = $3, attempts = 1, driven_at = clock_timestamp(), plan = coalesce($10, plan)
		WHERE id = $1 AND epoch = $2 AND state = 'open' AND attempts = 0 AND cancel_requested_at IS NULL RETURNING id)
	INSERT INTO attempts (completion_id, number, epoch, instance_id, state, deployment, provider, model, key_name,
		chosen_because, started_at)
	SELECT id, 1, $2, $3, 'started', $4, $5, $6, $7, $8, $9 FROM driven`

// StartFirst begins a completion's first attempt in one statement. Started is false when that cannot be said so simply:
// an attempt was made before, or the epoch is old, or the outcome is recorded. [Store.Resume] then finds out.
func (s *Store) StartFirst(ctx context.Context, call completions.Fence, next completions.NewAttempt) (started bool, err error) {
	tag, err := s.pool.Exec(ctx, startFirst, call.ID, call.Epoch, call.InstanceID, next.Deployment, next.Provider, next.Model,
		next.KeyName, next.ChosenBecause, next.StartedAt, next.Plan)
	if err != nil {
		return false, fmt.Errorf("starting the first attempt of %s: %w", call.ID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// StartHedge begins an attempt beside the one under way. The error is [completions.ErrSuperseded] when the completion is not this
// epoch's any more, or is to be cancelled.
func (s *Store) StartHedge(ctx context.Context, call completions.Fence, next completions.NewAttempt) (number int, err error) {
	const start = `WITH driven AS (
			UPDATE completions SET attempts = attempts + 1
			WHERE id = $1 AND epoch = $2 AND state = 'open' AND cancel_requested_at IS NULL RETURNING id, attempts)
		INSERT INTO attempts (completion_id, number, epoch, instance_id, state, deployment, provider, model, key_name,
			chosen_because, started_at)
		SELECT id, attempts, $2, $3, 'started', $4, $5, $6, $7, $8, $9 FROM driven RETURNING number`
	err = s.pool.QueryRow(ctx, start, call.ID, call.Epoch, call.InstanceID, next.Deployment, next.Provider, next.Model,
		next.KeyName, next.ChosenBecause, next.StartedAt).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, completions.ErrSuperseded
	}
	if err != nil {
		return 0, fmt.Errorf("starting a hedge of %s: %w", call.ID, err)
	}
	return number, nil
}

// Resume takes the completion up at this epoch: attempts found started are marked possibly billed, and choose is asked, in
// the same transaction, for the attempt to begin (nil: none). When the outcome is already recorded, choose is not asked.
func (s *Store) Resume(
	ctx context.Context, call completions.Fence, choose func(prior []completions.Attempt) *completions.NewAttempt,
) (completions.Resumed, error) {
	var resumed completions.Resumed
	err := postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		var err error
		resumed.State, resumed.Cancelled, err = fence(ctx, tx, call)
		if err != nil || resumed.State != completions.StateOpen {
			return err
		}
		const lost = `UPDATE attempts SET state = 'possibly_billed', finished_at = clock_timestamp(), decision = $2,
			reason = 'the process making the call died before the outcome was recorded'
			WHERE completion_id = $1 AND state = 'started'`
		if _, err := tx.Exec(ctx, lost, call.ID, string(failover.ActionRetry)); err != nil {
			return err
		}
		if resumed.Prior, err = attempts(ctx, tx, call.ID); err != nil {
			return err
		}
		next := choose(resumed.Prior)
		if next == nil || resumed.Cancelled {
			return nil
		}
		resumed.Number = len(resumed.Prior) + 1
		const insert = `INSERT INTO attempts (completion_id, number, epoch, instance_id, state, deployment, provider, model,
			key_name, chosen_because, started_at) VALUES ($1, $2, $3, $4, 'started', $5, $6, $7, $8, $9, $10)`
		_, err = tx.Exec(ctx, insert, call.ID, resumed.Number, call.Epoch, call.InstanceID, next.Deployment, next.Provider,
			next.Model, next.KeyName, next.ChosenBecause, next.StartedAt)
		if err != nil {
			return err
		}
		const driven = `UPDATE completions SET instance_id = $2, attempts = $3, driven_at = clock_timestamp(), plan = coalesce($4, plan)
			WHERE id = $1`
		_, err = tx.Exec(ctx, driven, call.ID, call.InstanceID, resumed.Number, next.Plan)
		return err
	})
	if err != nil {
		return completions.Resumed{}, fmt.Errorf("resuming %s: %w", call.ID, err)
	}
	return resumed, nil
}

// fence locks the completion and fails with [completions.ErrSuperseded] unless it is still driven at this epoch.
func fence(ctx context.Context, tx pgx.Tx, call completions.Fence) (state completions.State, cancelled bool, err error) {
	var epoch int
	const query = `SELECT state, epoch, cancel_requested_at IS NOT NULL FROM completions WHERE id = $1 FOR UPDATE`
	err = tx.QueryRow(ctx, query, call.ID).Scan(&state, &epoch, &cancelled)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, completions.ErrNotFound
	case err != nil:
		return "", false, err
	case state == completions.StateOpen && epoch != call.Epoch:
		return "", false, completions.ErrSuperseded
	}
	return state, cancelled, nil
}

// Fail closes a started attempt with its error and what was decided. A row of another epoch, or one already closed, is
// left alone.
func (s *Store) Fail(ctx context.Context, call completions.Fence, failed completions.Failed) error {
	const update = `UPDATE attempts SET state = 'failed', error = $4, decision = $5, reason = $6, finished_at = $7, shown = $8, usage = $9,
			key_name = coalesce(nullif($10, ''), key_name)
		WHERE completion_id = $1 AND number = $2 AND epoch = $3 AND state = 'started'`
	_, err := s.pool.Exec(ctx, update, call.ID, failed.Number, call.Epoch, failed.Error, string(failed.Decision.Action),
		failed.Decision.Reason, failed.At, failed.Shown, failed.Usage, failed.KeyName)
	if err != nil {
		return fmt.Errorf("recording the failure of attempt %d of %s: %w", failed.Number, call.ID, err)
	}
	return nil
}

// KeepAnswer stores the answer of an attempt made away from the process that will record the outcome, so that no later
// crash can cost it. The error is [completions.ErrSuperseded] when the attempt is no longer this epoch's to answer.
func (s *Store) KeepAnswer(ctx context.Context, call completions.Fence, number int, answer llm.Response, usage llm.Usage, at time.Time) error {
	body, err := s.box.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encoding the answer of %s: %w", call.ID, err)
	}
	const update = `UPDATE attempts SET state = 'succeeded', answer = $4, usage = $5, finished_at = $6
		WHERE completion_id = $1 AND number = $2 AND epoch = $3 AND state = 'started'
		AND EXISTS (SELECT FROM completions c WHERE c.id = $1 AND c.epoch = $3 AND c.state = 'open')`
	tag, err := s.pool.Exec(ctx, update, call.ID, number, call.Epoch, body, usage, at)
	if err != nil {
		return fmt.Errorf("keeping the answer of %s: %w", call.ID, err)
	}
	if tag.RowsAffected() == 1 {
		return nil
	}
	// A repetition of a write whose acknowledgement was lost finds its own answer there.
	var kept bool
	const find = `SELECT EXISTS (SELECT FROM attempts WHERE completion_id = $1 AND number = $2 AND epoch = $3
		AND state = 'succeeded' AND answer IS NOT NULL)`
	if err := s.pool.QueryRow(ctx, find, call.ID, number, call.Epoch).Scan(&kept); err != nil {
		return fmt.Errorf("looking for the answer of %s: %w", call.ID, err)
	}
	if !kept {
		return completions.ErrSuperseded
	}
	return nil
}

// KeptAnswer reads what KeepAnswer stored; the error is [completions.ErrAnswerLost] if there is nothing.
func (s *Store) KeptAnswer(ctx context.Context, id string, number int) (llm.Response, error) {
	var body []byte
	var answer llm.Response
	const query = `SELECT answer FROM attempts WHERE completion_id = $1 AND number = $2`
	err := s.pool.QueryRow(ctx, query, id, number).Scan(&body)
	if errors.Is(err, pgx.ErrNoRows) || (err == nil && body == nil) {
		return answer, completions.ErrAnswerLost
	}
	if err != nil {
		return answer, fmt.Errorf("reading the kept answer of %s: %w", id, err)
	}
	if err := s.box.Unmarshal(ctx, body, &answer); err != nil {
		return answer, fmt.Errorf("decoding the kept answer of %s: %w", id, err)
	}
	return answer, nil
}
