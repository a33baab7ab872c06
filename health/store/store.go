package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

// Channel is where changes are announced: a [health.Standing] as JSON.
const Channel = "holdfast_health"

var _ health.Board = (*Store)(nil)

// Store is the board in PostgreSQL. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
}

// New makes a store over the pool.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

const write = `INSERT INTO provider_health AS h (domain, state, until, held, health) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (domain) DO UPDATE SET state = excluded.state, until = excluded.until, held = excluded.held, health = excluded.health,
		version = h.version + 1, updated_at = clock_timestamp()`

// takesPlace says when a change that nobody asked for takes the place of what stands: an opening if it is for longer, anything
// else if the time of what stands is over ($6 is the time of the change).
const takesPlace = `
	WHERE (NOT h.held OR h.until <= $6) AND CASE WHEN excluded.state = 'open'
		THEN h.state <> 'open' OR h.until < excluded.until OR h.health->>'mark' <> excluded.health->>'mark'
		ELSE h.state <> 'open' OR h.until <= $6 END`

// Put implements [health.Board].
func (s *Store) Put(ctx context.Context, name failover.Domain, next failover.Health) (health.Standing, error) {
	return s.put(ctx, write+takesPlace, name, next, next.Since)
}

// Set writes what an operator wants, whatever stands.
func (s *Store) Set(ctx context.Context, name failover.Domain, next failover.Health) (health.Standing, error) {
	return s.put(ctx, write, name, next)
}

func (s *Store) put(ctx context.Context, statement string, name failover.Domain, next failover.Health, more ...any) (standing health.Standing, err error) {
	body, err := json.Marshal(next)
	if err != nil {
		return standing, fmt.Errorf("encoding the health of %s: %w", name, err)
	}
	var until *time.Time
	if !next.Until.IsZero() {
		until = &next.Until
	}
	standing = health.Standing{Domain: name, Health: next}
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		args := append([]any{name, next.State, until, next.Held, body}, more...)
		err := tx.QueryRow(ctx, statement+` RETURNING h.version`, args...).Scan(&standing.Version)
		if errors.Is(err, pgx.ErrNoRows) {
			const find = `SELECT health, version FROM provider_health WHERE domain = $1`
			return tx.QueryRow(ctx, find, name).Scan(&standing.Health, &standing.Version)
		}
		if err != nil {
			return err
		}
		announced, err := json.Marshal(standing)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, $2)`, Channel, string(announced))
		return err
	})
	if err != nil {
		return standing, fmt.Errorf("writing the health of %s: %w", name, err)
	}
	return standing, nil
}

// All implements [health.Board].
func (s *Store) All(ctx context.Context) ([]health.Standing, error) {
	rows, _ := s.pool.Query(ctx, `SELECT domain, health, version FROM provider_health ORDER BY domain`)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[health.Standing])
	if err != nil {
		return nil, fmt.Errorf("reading the health of providers: %w", err)
	}
	return list, nil
}
