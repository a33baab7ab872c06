// Package alerts keeps what operators are to know, until their webhooks have it.
package alerts

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Kind is what an alert is about. Configuration and metrics name alerts by it.
type Kind string

// The kinds.
const (
	// KindKeyExpiring: a key ends in so many days.
	KindKeyExpiring Kind = "key_expiring"
	// KindKeyRefused: a provider has refused a key.
	KindKeyRefused Kind = "key_refused"
	// KindRotationFailed: a key was not rotated, or its former one not revoked.
	KindRotationFailed Kind = "rotation_failed"
	// KindKeeperUnreachable: what wraps the vault's data keys, or where keys are read from, does not answer.
	KindKeeperUnreachable Kind = "keeper_unreachable"
	// KindTest is for trying the webhooks.
	KindTest Kind = "test"
)

// Kinds lists them.
func Kinds() []Kind {
	return []Kind{KindKeyExpiring, KindKeyRefused, KindRotationFailed, KindKeeperUnreachable, KindTest}
}

// Severity is how much it matters.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Alert is one. No secret stands in it.
type Alert struct {
	ID string `json:"id"`
	// Dedupe tells two alerts apart: raising one whose key is known does nothing.
	Dedupe   string   `json:"-"`
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	// Subject is what it is about, such as openai/main.
	Subject string `json:"subject"`
	Title   string `json:"title"`
	// Text says what happened and what to do.
	Text     string    `json:"text"`
	RaisedAt time.Time `json:"raised_at"`
}

// Execer writes: a pool, or the transaction of the change that the alert tells of.
type Execer interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
}

const insertAlert = `INSERT INTO alerts (id, dedupe, kind, severity, subject, title, text) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (dedupe) DO NOTHING`

// Raise keeps an alert to be delivered; its id and time are made here. Raised says whether it is new.
func Raise(ctx context.Context, db Execer, alert Alert) (raised bool, err error) {
	id := "alert_" + strings.ToLower(rand.Text()[:20])
	tag, err := db.Exec(ctx, insertAlert, id, alert.Dedupe, alert.Kind, alert.Severity, alert.Subject, alert.Title, alert.Text)
	if err != nil {
		return false, fmt.Errorf("raise alert %s of %s: %w", alert.Kind, alert.Subject, err)
	}
	return tag.RowsAffected() > 0, nil
}
