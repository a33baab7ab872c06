package audit

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Log is the audit log for who has no transaction of a change at hand. It is safe for concurrent use.
type Log struct{ pool *pgxpool.Pool }

// NewLog uses the pool, which the caller closes.
func NewLog(pool *pgxpool.Pool) *Log { return &Log{pool: pool} }

// Record is [Record], by itself.
func (l *Log) Record(ctx context.Context, event Event) error { return Record(ctx, l.pool, event) }

// List is [List].
func (l *Log) List(ctx context.Context, filter Filter) ([]Event, error) {
	return List(ctx, l.pool, filter)
}
