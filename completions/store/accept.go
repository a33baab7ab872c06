package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

const insertCompletion = `WITH accepted AS (
		INSERT INTO completions (id, tenant, workflow_id, fingerprint, dialect, route, conversation_id, state, instance_id,
			accepted_at, deadline, recovery, stored, background, end_user, metadata, content_until)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), 'open', $8, $9, $10, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (id) DO NOTHING RETURNING id)
	INSERT INTO completion_requests (completion_id, body, shown) SELECT id, $11, $18 FROM accepted`

// Accept records the request durably. The error is [completions.ErrKeyReused] when a request with the same id and another body was
// accepted before, [conversations.ErrBusy] or [conversations.ErrNotFound] when the conversation cannot take a turn, and
// [completions.ErrNoPrevious] when the turn that it is to follow on is not on record.
func (s *Store) Accept(ctx context.Context, a completions.Acceptance) (completions.Accepted, error) {
	body, err := s.box.Marshal(a.Request)
	if err != nil {
		return completions.Accepted{}, fmt.Errorf("encoding the request: %w", err)
	}
	accepted := completions.Accepted{ConversationID: cmp.Or(a.ConversationID, a.About), AcceptedAt: a.AcceptedAt, Deadline: a.Deadline}
	if a.Thread && a.Previous == "" && a.ConversationID == "" {
		accepted.ConversationID = conversations.ThreadID(a.ID)
	}
	var metadata any
	if len(a.Metadata) > 0 {
		metadata = a.Metadata
	}
	var shown any
	if len(a.Shown) > 0 {
		if shown, err = s.box.Seal(a.Shown); err != nil {
			return completions.Accepted{}, fmt.Errorf("sealing what is shown: %w", err)
		}
	}
	args := []any{
		a.ID, a.Tenant, a.WorkflowID, a.Fingerprint, a.Dialect, a.Route, accepted.ConversationID, a.InstanceID,
		a.AcceptedAt, a.Deadline, body, a.Recovery, a.Stored, a.Background, a.EndUser, metadata, a.ContentUntil, shown,
	}
	if accepted.ConversationID == "" && a.Previous == "" {
		tag, err := s.pool.Exec(ctx, insertCompletion, args...)
		if err != nil {
			return completions.Accepted{}, fmt.Errorf("accepting a completion: %w", err)
		}
		accepted.Created = tag.RowsAffected() == 1
	} else {
		err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, insertCompletion, args...)
			if err != nil {
				return fmt.Errorf("accepting a completion: %w", err)
			}
			if accepted.Created = tag.RowsAffected() == 1; !accepted.Created {
				return nil
			}
			return takeTurn(ctx, tx, a, &accepted)
		})
		if err != nil {
			return completions.Accepted{}, err
		}
	}
	if !accepted.Created {
		return s.acceptedBefore(ctx, a)
	}
	return accepted, nil
}

// takeTurn has the completion take its turn in the conversation that it names, or in that of the turn which it follows on, or in
// one of its own.
func takeTurn(ctx context.Context, tx pgx.Tx, a completions.Acceptance, accepted *completions.Accepted) error {
	switch {
	case a.About != "":
		return nil
	case a.Previous != "":
		id, err := conversations.ContinueTurn(ctx, tx, a.Tenant, a.Previous, conversations.ThreadID(a.ID), a.ID)
		if errors.Is(err, conversations.ErrNotFound) {
			return completions.ErrNoPrevious
		}
		if err != nil {
			return err
		}
		accepted.ConversationID = id
		if _, err := tx.Exec(ctx, `UPDATE completions SET conversation_id = $2 WHERE id = $1`, a.ID, id); err != nil {
			return fmt.Errorf("noting the conversation of %s: %w", a.ID, err)
		}
		return nil
	case a.ConversationID != "":
		return conversations.AcquireTurn(ctx, tx, a.Tenant, a.ConversationID, a.ID)
	default:
		return conversations.BeginThread(ctx, tx, a.Tenant, accepted.ConversationID, a.ID)
	}
}

// acceptedBefore is what the same request was accepted as.
func (s *Store) acceptedBefore(ctx context.Context, a completions.Acceptance) (accepted completions.Accepted, err error) {
	var tenant string
	var fingerprint []byte
	const query = `SELECT tenant, fingerprint, accepted_at, deadline FROM completions WHERE id = $1`
	err = s.pool.QueryRow(ctx, query, a.ID).Scan(&tenant, &fingerprint, &accepted.AcceptedAt, &accepted.Deadline)
	if errors.Is(err, pgx.ErrNoRows) {
		return completions.Accepted{}, completions.ErrNotFound
	}
	if err != nil {
		return completions.Accepted{}, fmt.Errorf("comparing with completion %s: %w", a.ID, err)
	}
	switch {
	case tenant == a.Tenant && len(fingerprint) == 0:
		return completions.Accepted{}, completions.ErrErased
	case tenant != a.Tenant || !bytes.Equal(fingerprint, a.Fingerprint):
		return completions.Accepted{}, completions.ErrKeyReused
	}
	return accepted, nil
}
