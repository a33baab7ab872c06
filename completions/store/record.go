package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

// The pieces of a transcript that an answer takes the place of.
const dropPieces = `,
	pieces AS (DELETE FROM completion_transcripts t USING done WHERE t.completion_id = done.id AND NOT t.whole)`

func recordSuccess(streamed, kept bool) string {
	more := ""
	if streamed {
		more = dropPieces
	}
	if kept {
		more += keepAnswer
	}
	return recordAttempts + more + recordAnswer
}

const recordAttempts = `WITH done AS (
		UPDATE completions SET state = 'succeeded', finished_at = $4, provider = $5, model = $6, failovers = $7, provider_ms = $8, served_from = $12,
			replayed = $13
		WHERE id = $1 AND epoch = $2 AND state = 'open' RETURNING id),
	attempt AS (
		UPDATE attempts SET state = 'succeeded', usage = coalesce(usage, $9), answer = NULL, finished_at = $10
		FROM done WHERE completion_id = done.id AND number = $3),
	others AS (
		UPDATE attempts SET state = 'possibly_billed', answer = NULL, finished_at = coalesce(finished_at, $4),
			reason = 'another attempt gave the answer that was recorded'
		FROM done WHERE completion_id = done.id AND number <> $3 AND attempts.state IN ('started', 'succeeded'))`

const recordAnswer = `
	INSERT INTO completion_answers (completion_id, body) SELECT id, $11 FROM done`

// RecordSuccess writes the answer, closes the attempt and the completion, and appends the turn to its conversation, all or
// nothing. Recorded is false when an outcome stood there already; the error is [completions.ErrSuperseded] when a newer
// epoch drives the completion.
func (s *Store) RecordSuccess(ctx context.Context, call completions.Fence, success completions.Success) (recorded bool, err error) {
	body, err := s.box.Marshal(success.Answer)
	if err != nil {
		return false, fmt.Errorf("encoding the answer of %s: %w", call.ID, err)
	}
	args := []any{
		call.ID, call.Epoch, success.Number, success.At, success.Provider, success.Model, success.Failovers,
		success.ProviderTime.Milliseconds(), success.Usage, success.AnsweredAt, body,
		success.ServedFrom, success.Replayed,
	}
	if success.Keep != nil {
		args = append(args, success.Keep.Key, success.Keep.Tenant, success.Keep.Route, success.Keep.Fresh, success.Keep.Stale)
	}
	statement := recordSuccess(success.Streamed, success.Keep != nil)
	if success.ConversationID == "" {
		tag, err := s.pool.Exec(ctx, statement, args...)
		if err != nil {
			return false, fmt.Errorf("recording the answer of %s: %w", call.ID, err)
		}
		if tag.RowsAffected() == 1 {
			return true, nil
		}
		return false, s.explainRefusal(ctx, call)
	}
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, statement, args...)
		if err != nil {
			return err
		}
		if recorded = tag.RowsAffected() == 1; !recorded {
			return nil
		}
		items := make([]conversations.Item, 0, len(success.Turn)+1)
		for _, message := range success.Turn {
			items = append(items, conversations.Item{Message: message})
		}
		items = append(items, conversations.Item{
			Message: success.Answer.Message, Provider: success.Provider, Model: success.Model,
		})
		err = conversations.AppendTurn(ctx, tx, s.box, success.ConversationID, call.ID, items)
		if !errors.Is(err, conversations.ErrNotFound) {
			return err
		}
		// The conversation was erased meanwhile: the outcome stands, and what was said goes as well.
		_, err = tx.Exec(ctx, `UPDATE completions SET content_until = clock_timestamp() WHERE id = $1`, call.ID)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("recording the answer of %s: %w", call.ID, err)
	}
	if recorded {
		return true, nil
	}
	return false, s.explainRefusal(ctx, call)
}

// RecordFailure closes the completion with its final error and gives its conversation back. Of one that was cancelled, Said is
// what clients have got of the answer. Its results are those of [Store.RecordSuccess].
func (s *Store) RecordFailure(ctx context.Context, call completions.Fence, failure completions.Failure) (recorded bool, err error) {
	const update = `UPDATE completions SET state = $7, finished_at = $3, error = $4, provider_ms = $5, failovers = $6,
			plan = coalesce($8, plan)
		WHERE id = $1 AND epoch = $2 AND state = 'open' RETURNING coalesce(conversation_id, '')`
	at := failure.At
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		// The completion is locked before its attempts, as everywhere: the other way round, a success recorded at the same
		// time and this would wait for each other.
		rows, _ := tx.Query(ctx, update, call.ID, call.Epoch, at, failure.Error, failure.ProviderTime.Milliseconds(), failure.Failovers,
			completions.Final(failure.Error), failure.Plan)
		conversation, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if recorded = err == nil && len(conversation) == 1; !recorded {
			return err
		}
		const lost = `UPDATE attempts SET state = 'possibly_billed', finished_at = $2, reason = 'the completion ended while the call was open'
			WHERE completion_id = $1 AND state = 'started'`
		if _, err := tx.Exec(ctx, lost, call.ID, at); err != nil {
			return err
		}
		if failure.Said != nil {
			body, err := s.box.Marshal(failure.Said)
			if err != nil {
				return fmt.Errorf("encoding what was said of %s: %w", call.ID, err)
			}
			const insert = `INSERT INTO completion_answers (completion_id, body) VALUES ($1, $2)`
			if _, err := tx.Exec(ctx, insert, call.ID, body); err != nil {
				return err
			}
		}
		if conversation[0] == "" {
			return nil
		}
		return conversations.ReleaseTurn(ctx, tx, conversation[0], call.ID)
	})
	if err != nil {
		return false, fmt.Errorf("recording the failure of %s: %w", call.ID, err)
	}
	if recorded {
		return true, nil
	}
	return false, s.explainRefusal(ctx, call)
}

// explainRefusal says why nothing was recorded: nil if an outcome stands, [completions.ErrSuperseded] if the epoch is old.
func (s *Store) explainRefusal(ctx context.Context, call completions.Fence) error {
	var state completions.State
	err := s.pool.QueryRow(ctx, `SELECT state FROM completions WHERE id = $1`, call.ID).Scan(&state)
	if errors.Is(err, pgx.ErrNoRows) {
		return completions.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("reading the state of %s: %w", call.ID, err)
	}
	if state == completions.StateOpen {
		return completions.ErrSuperseded
	}
	return nil
}
