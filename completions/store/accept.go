package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

// Acceptance is a request about to be accepted.
type Acceptance struct {
	ID             string
	Tenant         string
	WorkflowID     string
	Fingerprint    []byte
	Dialect        string
	Route          string
	ConversationID string
	InstanceID     string
	AcceptedAt     time.Time
	Deadline       time.Time
	// Recovery is what becomes of the stream if it breaks; empty if the answer is not streamed.
	Recovery failover.Recovery
	Request  llm.Request
}

const insertCompletion = `WITH accepted AS (
		INSERT INTO completions (id, tenant, workflow_id, fingerprint, dialect, route, conversation_id, state, instance_id,
			accepted_at, deadline, recovery)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), 'open', $8, $9, $10, $12)
		ON CONFLICT (id) DO NOTHING RETURNING id)
	INSERT INTO completion_requests (completion_id, body) SELECT id, $11 FROM accepted`

// Accept records the request durably. Created is false when a request with the same id was accepted before with the same
// body: the caller then attaches to it. The error is [completions.ErrKeyReused] when the body differs,
// [conversations.ErrBusy] or [conversations.ErrNotFound] when the conversation cannot take a turn.
func (s *Store) Accept(ctx context.Context, a Acceptance) (created bool, err error) {
	body, err := json.Marshal(a.Request)
	if err != nil {
		return false, fmt.Errorf("encoding the request: %w", err)
	}
	args := []any{
		a.ID, a.Tenant, a.WorkflowID, a.Fingerprint, a.Dialect, a.Route, a.ConversationID, a.InstanceID,
		a.AcceptedAt, a.Deadline, body, a.Recovery,
	}
	if a.ConversationID == "" {
		tag, err := s.pool.Exec(ctx, insertCompletion, args...)
		if err != nil {
			return false, fmt.Errorf("accepting a completion: %w", err)
		}
		if tag.RowsAffected() == 1 {
			return true, nil
		}
		return false, s.checkFingerprint(ctx, a)
	}
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertCompletion, args...)
		if err != nil {
			return fmt.Errorf("accepting a completion: %w", err)
		}
		if created = tag.RowsAffected() == 1; !created {
			return nil
		}
		return conversations.AcquireTurn(ctx, tx, a.Tenant, a.ConversationID, a.ID)
	})
	if err != nil {
		return false, err
	}
	if created {
		return true, nil
	}
	return false, s.checkFingerprint(ctx, a)
}

func (s *Store) checkFingerprint(ctx context.Context, a Acceptance) error {
	var tenant string
	var fingerprint []byte
	err := s.pool.QueryRow(ctx, `SELECT tenant, fingerprint FROM completions WHERE id = $1`, a.ID).Scan(&tenant, &fingerprint)
	if errors.Is(err, pgx.ErrNoRows) {
		return completions.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("comparing with completion %s: %w", a.ID, err)
	}
	if tenant != a.Tenant || !bytes.Equal(fingerprint, a.Fingerprint) {
		return completions.ErrKeyReused
	}
	return nil
}
