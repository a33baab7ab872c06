package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

var _ activities.HealthBoard = (*Store)(nil)

// Publish implements [activities.HealthBoard].
func (s *Store) Publish(ctx context.Context, name failover.Domain, next failover.Health) (failover.Health, error) {
	standing, err := s.Put(ctx, name, next)
	return standing.Health, err
}

// Standing implements [activities.HealthBoard]. A domain of which nothing is known has the zero health.
func (s *Store) Standing(ctx context.Context, name failover.Domain) (standing failover.Health, err error) {
	err = s.pool.QueryRow(ctx, `SELECT health FROM provider_health WHERE domain = $1`, name).Scan(&standing)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return standing, fmt.Errorf("reading the health of %s: %w", name, err)
	}
	return standing, nil
}

// keptProbes is how long probes are kept.
const keptProbes = "30 days"

// KeepProbe implements [activities.HealthBoard]. What is old goes as new ones come.
func (s *Store) KeepProbe(ctx context.Context, probe activities.Probe) error {
	kind := llm.Kind("")
	if probe.Error != nil {
		kind = probe.Error.Kind
	}
	var usage *llm.Usage
	if probe.Usage.InputTokens+probe.Usage.OutputTokens > 0 {
		usage = &probe.Usage
	}
	const insert = `WITH old AS (
			DELETE FROM provider_probes WHERE id IN (
				SELECT id FROM provider_probes WHERE domain = $1 AND probed_at < now() - interval '` + keptProbes + `' ORDER BY id LIMIT 10))
		INSERT INTO provider_probes (domain, deployment, provider, model, key_name, method, kind, error, usage, took_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	_, err := s.pool.Exec(ctx, insert, probe.Domain, probe.Endpoint.Call.Deployment, probe.Domain.Provider(), probe.Endpoint.Model,
		probe.Endpoint.KeyName, probe.Method, kind, probe.Error, usage, probe.Took.Milliseconds())
	if err != nil {
		return fmt.Errorf("keeping a probe of %s: %w", probe.Domain, err)
	}
	return nil
}

// LastProbes implements [activities.HealthBoard].
func (s *Store) LastProbes(ctx context.Context, name failover.Domain, method failover.ProbeMethod, limit int) ([]llm.Kind, error) {
	rows, _ := s.pool.Query(ctx, `SELECT kind FROM provider_probes WHERE domain = $1 AND method = $2 ORDER BY id DESC LIMIT $3`, name, method, limit)
	kinds, err := pgx.CollectRows(rows, pgx.RowTo[llm.Kind])
	if err != nil {
		return nil, fmt.Errorf("reading the probes of %s: %w", name, err)
	}
	return kinds, nil
}
