package alerts

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// perWebhook bounds what is given at once of what one webhook does not have: one that is dead holds up no other.
const perWebhook = 100

const selectUndelivered = `SELECT id, dedupe, kind, severity, subject, title, text, raised_at FROM alerts a
WHERE raised_at >= $2 AND NOT EXISTS (SELECT 1 FROM alert_deliveries d WHERE d.alert_id = a.id AND d.webhook = $1)
ORDER BY raised_at, id`

// Undelivered gives what was raised since then and each webhook is to be told of and was not, nor was it given up: the oldest
// first, a hundred for each at most.
func (s *Store) Undelivered(ctx context.Context, webhooks []Webhook, since time.Time) ([]Pending, error) {
	var pending []Pending
	for _, webhook := range webhooks {
		rows, err := s.pool.Query(ctx, selectUndelivered, webhook.Name, since)
		if err != nil {
			return nil, fmt.Errorf("read undelivered alerts: %w", err)
		}
		for taken := 0; taken < perWebhook && rows.Next(); {
			alert, err := pgx.RowToStructByPos[Alert](rows)
			if err != nil {
				rows.Close()
				return nil, fmt.Errorf("read undelivered alerts: %w", err)
			}
			if takes, _ := webhook.Takes(alert.Kind, alert.Severity); takes {
				pending = append(pending, Pending{Alert: alert, Webhook: webhook.Name})
				taken++
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read undelivered alerts: %w", err)
		}
	}
	return pending, nil
}

const selectSettled = `SELECT EXISTS (SELECT 1 FROM alert_deliveries WHERE alert_id = $1 AND webhook = $2)`

// Settled says whether a delivery was made or given up.
func (s *Store) Settled(ctx context.Context, alertID, webhook string) (settled bool, err error) {
	if err := s.pool.QueryRow(ctx, selectSettled, alertID, webhook).Scan(&settled); err != nil {
		return false, fmt.Errorf("read delivery: %w", err)
	}
	return settled, nil
}

// A delivery that was made stays so, whoever gives it up later.
const upsertDelivery = `INSERT INTO alert_deliveries (alert_id, webhook, state, attempts, error) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (alert_id, webhook) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, error = excluded.error, updated_at = clock_timestamp()
WHERE alert_deliveries.state <> 'delivered'`

// Delivered writes down that the webhook has the alert, after so many attempts.
func (s *Store) Delivered(ctx context.Context, alertID, webhook string, attempts int) error {
	return s.settle(ctx, alertID, webhook, Delivered, attempts, "")
}

// Failed writes down that telling the webhook was given up after so many attempts, and why the last one failed.
func (s *Store) Failed(ctx context.Context, alertID, webhook string, attempts int, reason string) error {
	return s.settle(ctx, alertID, webhook, Failed, attempts, reason)
}

func (s *Store) settle(ctx context.Context, alertID, webhook string, state State, attempts int, reason string) error {
	if _, err := s.pool.Exec(ctx, upsertDelivery, alertID, webhook, state, attempts, reason); err != nil {
		return fmt.Errorf("write down that alert %s is %s at %s: %w", alertID, state, webhook, err)
	}
	return nil
}

const (
	countRaised     = `SELECT kind, severity, count(*) FROM alerts GROUP BY kind, severity ORDER BY kind, severity`
	countDeliveries = `SELECT webhook, state, count(*) FROM alert_deliveries GROUP BY webhook, state ORDER BY webhook, state`
)

// Counts says how many alerts were raised, by kind and severity, and what came of deliveries, by webhook and state.
func (s *Store) Counts(ctx context.Context) (raised, deliveries []Count, err error) {
	for query, counts := range map[string]*[]Count{countRaised: &raised, countDeliveries: &deliveries} {
		rows, err := s.pool.Query(ctx, query)
		if err != nil {
			return nil, nil, fmt.Errorf("count alerts: %w", err)
		}
		if *counts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Count]); err != nil {
			return nil, nil, fmt.Errorf("count alerts: %w", err)
		}
	}
	return raised, deliveries, nil
}
