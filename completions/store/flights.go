package store

import (
	"context"
	"fmt"
	"time"
)

const countFlights = `SELECT count(*) FROM completions c JOIN attempts a ON a.completion_id = c.id
WHERE c.state = 'open' AND a.state = 'started' AND a.provider = $1 AND a.started_at < $2`

// CallsInFlight counts the calls of a provider that were begun before a time and have not ended. The index of open completions makes
// it as cheap as there are few of them.
func (s *Store) CallsInFlight(ctx context.Context, provider string, before time.Time) (count int, err error) {
	if err := s.pool.QueryRow(ctx, countFlights, provider, before).Scan(&count); err != nil {
		return 0, fmt.Errorf("count calls in flight: %w", err)
	}
	return count, nil
}
