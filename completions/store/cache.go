package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
)

// keepAnswer keeps the answer that is recorded, and takes away a few of those whose time is over: nobody else has to.
const keepAnswer = `,
	gone AS (DELETE FROM completion_cache WHERE key IN (
		SELECT key FROM completion_cache WHERE stale_till < now() AND key <> $14 ORDER BY stale_till LIMIT 4 FOR UPDATE SKIP LOCKED)),
	kept AS (INSERT INTO completion_cache (key, tenant, route, provider, model, body, fresh_till, stale_till, completion_id)
		SELECT $14, $15, $16, $5, $6, $11, clock_timestamp() + $17, clock_timestamp() + $17 + $18, $1 FROM done
		ON CONFLICT (key) DO UPDATE SET provider = excluded.provider, model = excluded.model, body = excluded.body, completion_id = excluded.completion_id,
			stored_at = clock_timestamp(), fresh_till = excluded.fresh_till, stale_till = excluded.stale_till)`

// CachedAnswer reads the answer that was given before under a key, if it is fresh or may stand in for want of a better.
func (s *Store) CachedAnswer(ctx context.Context, key []byte) (completions.Cached, error) {
	var cached completions.Cached
	var body []byte
	const query = `SELECT body, provider, model, stored_at, fresh_till > now() FROM completion_cache WHERE key = $1 AND stale_till > now()`
	err := s.pool.QueryRow(ctx, query, key).Scan(&body, &cached.Provider, &cached.Model, &cached.StoredAt, &cached.Fresh)
	if errors.Is(err, pgx.ErrNoRows) {
		return completions.Cached{}, nil
	}
	if err != nil {
		return completions.Cached{}, fmt.Errorf("reading a kept answer: %w", err)
	}
	cached.Answer = new(llm.Response)
	if err := s.box.Unmarshal(ctx, body, cached.Answer); err != nil {
		return completions.Cached{}, fmt.Errorf("decoding a kept answer: %w", err)
	}
	return cached, nil
}

// CacheUse counts what came from the cache of a tenant's route.
type CacheUse struct {
	Tenant string `json:"tenant"`
	Route  string `json:"route"`
	// Answered are the completions that were answered, Hits and Stale those of them that were not by a provider.
	Answered int64 `json:"answered"`
	Hits     int64 `json:"hits"`
	Stale    int64 `json:"stale"`
}

// CacheUses counts the completions accepted since, by tenant and route.
func (s *Store) CacheUses(ctx context.Context, since time.Time) ([]CacheUse, error) {
	const query = `SELECT tenant, route, count(*), count(*) FILTER (WHERE served_from = 'hit'), count(*) FILTER (WHERE served_from = 'stale')
		FROM completions WHERE accepted_at >= $1 AND state = 'succeeded' GROUP BY tenant, route ORDER BY tenant, route`
	rows, _ := s.pool.Query(ctx, query, since)
	uses, err := pgx.CollectRows(rows, pgx.RowToStructByPos[CacheUse])
	if err != nil {
		return nil, fmt.Errorf("counting what came from the cache: %w", err)
	}
	return uses, nil
}

// ClearCache forgets the answers of a route, or of all if it is empty, and says how many there were.
func (s *Store) ClearCache(ctx context.Context, route string) (int64, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM completion_cache WHERE $1 = '' OR route = $1`, route)
	if err != nil {
		return 0, fmt.Errorf("clearing the cache: %w", err)
	}
	return tag.RowsAffected(), nil
}
