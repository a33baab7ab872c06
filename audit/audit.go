// Package audit writes down who changed what, when, and why. It holds no secret: what callers give as before and after describes
// a thing, and never reveals it.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Event is one change.
type Event struct {
	ID int64     `json:"id"`
	At time.Time `json:"at"`
	// Actor is who made the change: "root", "token:NAME" for an admin token, or "holdfast" for the system itself.
	Actor string `json:"actor"`
	// Action is a noun and a verb, such as key.set; Subject is what was changed, such as openai/main.
	Action  string `json:"action"`
	Subject string `json:"subject"`
	// Before and After describe the subject; null where there was none, or where nothing can be said.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	Reason string          `json:"reason,omitempty"`
}

// System is the actor of what Holdfast does by itself.
const System = "holdfast"

type actorKey struct{}

// WithActor says who acts from here on.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// Actor is who acts; [System] if nobody was named.
func Actor(ctx context.Context) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok && actor != "" {
		return actor
	}
	return System
}

// Describe is a description of a thing for [Event.Before] and [Event.After]. It must reveal no secret.
func Describe(thing any) json.RawMessage {
	text, err := json.Marshal(thing)
	if err != nil { // our own types
		return nil
	}
	return text
}

// Execer writes: a pool, or the transaction that makes the change, so that both stand or neither.
type Execer interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
}

const insertEvent = `INSERT INTO audit_events (actor, action, subject, before, after, reason) VALUES ($1, $2, $3, $4, $5, $6)`

// Record writes an event. Its actor is that of ctx where it names none; its id and time are the database's.
func Record(ctx context.Context, db Execer, event Event) error {
	if event.Actor == "" {
		event.Actor = Actor(ctx)
	}
	_, err := db.Exec(ctx, insertEvent, event.Actor, event.Action, event.Subject, nullable(event.Before), nullable(event.After), event.Reason)
	if err != nil {
		return fmt.Errorf("write down %s of %s: %w", event.Action, event.Subject, err)
	}
	return nil
}

func nullable(text json.RawMessage) any {
	if len(text) == 0 {
		return nil
	}
	return string(text)
}

// Filter chooses events; empty fields do not.
type Filter struct {
	Subject, Actor, Action string
	// Before leaves out the events of this id and later ones: for the next page.
	Before int64
	// Limit is how many are given at most.
	Limit int
}

// Queryer reads.
type Queryer interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

const listEvents = `SELECT id, at, actor, action, subject, before, after, reason FROM audit_events
WHERE ($1 = '' OR subject = $1) AND ($2 = '' OR actor = $2) AND ($3 = '' OR action = $3) AND ($4 = 0 OR id < $4)
ORDER BY id DESC LIMIT $5`

// List gives events, the latest first.
func List(ctx context.Context, db Queryer, filter Filter) ([]Event, error) {
	rows, err := db.Query(ctx, listEvents, filter.Subject, filter.Actor, filter.Action, filter.Before, filter.Limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return events, nil
}
