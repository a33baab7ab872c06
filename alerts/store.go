package alerts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotFound means that there is no alert of this id.
var ErrNotFound = errors.New("there is no alert of this id")

// State is what came of a delivery.
type State string

// The states of a delivery. One that is still to be made has none.
const (
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Delivery is what came of telling one webhook of an alert.
type Delivery struct {
	Webhook  string `json:"webhook"`
	State    State  `json:"state"`
	Attempts int    `json:"attempts"`
	// Error says why the last attempt of a failed one failed.
	Error string    `json:"error,omitempty"`
	At    time.Time `json:"at"`
}

// Told is an alert with what came of its deliveries.
type Told struct {
	Alert
	Deliveries []Delivery `json:"deliveries"`
}

// Pending is an alert that a webhook does not have yet.
type Pending struct {
	Alert   Alert
	Webhook string
}

// Count is how many there are of one sort.
type Count struct {
	// Name is a kind of alert, or a webhook; Of a severity, or the state of a delivery.
	Name, Of string
	Count    int64
}

// Store keeps alerts and what came of their deliveries. It is safe for concurrent use.
type Store struct{ pool *pgxpool.Pool }

// NewStore uses the pool, which the caller closes.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// RaiseTest raises an alert of [KindTest], which goes to every webhook; by is who asked for it.
func (s *Store) RaiseTest(ctx context.Context, by string) (Alert, error) {
	dedupe := "test/" + rand.Text()
	_, err := Raise(ctx, s.pool, Alert{
		Dedupe: dedupe, Kind: KindTest, Severity: Info, Subject: "alerts", Title: "This is a test",
		Text: "Alerts of Holdfast reach you here. " + by + " asked for this one; there is nothing to do.",
	})
	if err != nil {
		return Alert{}, err
	}
	return s.one(ctx, `WHERE dedupe = $1`, dedupe)
}

// Alert finds one by its id. It returns [ErrNotFound] where there is none.
func (s *Store) Alert(ctx context.Context, id string) (Alert, error) {
	return s.one(ctx, `WHERE id = $1`, id)
}

const selectAlerts = `SELECT id, dedupe, kind, severity, subject, title, text, raised_at FROM alerts `

func (s *Store) one(ctx context.Context, where string, arg any) (Alert, error) {
	rows, err := s.pool.Query(ctx, selectAlerts+where, arg)
	if err != nil {
		return Alert{}, fmt.Errorf("read alert: %w", err)
	}
	alert, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Alert])
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Alert{}, ErrNotFound
	case err != nil:
		return Alert{}, fmt.Errorf("read alert: %w", err)
	}
	return alert, nil
}

const selectDeliveries = `SELECT alert_id, webhook, state, attempts, error, updated_at FROM alert_deliveries
WHERE alert_id = ANY($1) ORDER BY webhook`

// List gives the latest alerts, the latest first, with what came of their deliveries.
func (s *Store) List(ctx context.Context, limit int) ([]Told, error) {
	rows, err := s.pool.Query(ctx, selectAlerts+`ORDER BY raised_at DESC, id LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Alert])
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	list, ids, at := make([]Told, len(found)), make([]string, len(found)), map[string]int{}
	for i, alert := range found {
		list[i], ids[i], at[alert.ID] = Told{Alert: alert, Deliveries: []Delivery{}}, alert.ID, i
	}
	if rows, err = s.pool.Query(ctx, selectDeliveries, ids); err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	var id string
	var delivery Delivery
	_, err = pgx.ForEachRow(rows, []any{&id, &delivery.Webhook, &delivery.State, &delivery.Attempts, &delivery.Error, &delivery.At}, func() error {
		list[at[id]].Deliveries = append(list[at[id]].Deliveries, delivery)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}
