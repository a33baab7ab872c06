package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
)

// Join enters a process into the table of the living, for ttl.
func (s *Store) Join(ctx context.Context, instanceID, address string, ttl time.Duration) error {
	const insert = `INSERT INTO instances (id, address, expires_at) VALUES ($1, $2, clock_timestamp() + $3)`
	if _, err := s.pool.Exec(ctx, insert, instanceID, address, ttl); err != nil {
		return fmt.Errorf("joining as %s: %w", instanceID, err)
	}
	return nil
}

// Renew extends the lease. Held is false when another process has judged this one dead.
func (s *Store) Renew(ctx context.Context, instanceID string, ttl time.Duration) (held bool, err error) {
	const update = `UPDATE instances SET expires_at = clock_timestamp() + $2 WHERE id = $1`
	tag, err := s.pool.Exec(ctx, update, instanceID, ttl)
	if err != nil {
		return false, fmt.Errorf("renewing the lease of %s: %w", instanceID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// LeaveNode ends the leases of a node's earlier processes: for a caller that knows them to be dead, since it holds the lock that
// they held.
func (s *Store) LeaveNode(ctx context.Context, node string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM instances WHERE starts_with(id, $1 || '/')`, node); err != nil {
		return fmt.Errorf("ending the leases of node %s: %w", node, err)
	}
	return nil
}

// Held counts the open completions that an instance drives.
func (s *Store) Held(ctx context.Context, instanceID string) (int, error) {
	var n int
	const query = `SELECT count(*) FROM completions WHERE state = 'open' AND instance_id = $1`
	if err := s.pool.QueryRow(ctx, query, instanceID).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting what %s drives: %w", instanceID, err)
	}
	return n, nil
}

// Leave gives the lease back, so that what this process still holds is re-driven at once.
func (s *Store) Leave(ctx context.Context, instanceID string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM instances WHERE id = $1`, instanceID); err != nil {
		return fmt.Errorf("leaving as %s: %w", instanceID, err)
	}
	return nil
}

// BuryExpired deletes the leases that have run out: the judgement that those processes are dead.
func (s *Store) BuryExpired(ctx context.Context) (dead []string, err error) {
	rows, _ := s.pool.Query(ctx, `DELETE FROM instances WHERE expires_at < clock_timestamp() RETURNING id`)
	dead, err = pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("burying expired instances: %w", err)
	}
	return dead, nil
}

// Living counts the processes that hold a lease.
func (s *Store) Living(ctx context.Context) (int, error) {
	var n int
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM instances WHERE expires_at >= clock_timestamp()`).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting instances: %w", err)
	}
	return n, nil
}

// unstarted is how long an accepted completion may wait for its first attempt before its start is taken for lost: the
// process could not reach Temporal, or was told that the acceptance had failed when it had not.
const unstarted = 15 * time.Second

// overdue is how long after its deadline an open completion with a living instance is taken for stuck: its workflow was
// terminated by hand, say. Re-driving it records the failure.
const overdue = 30 * time.Second

// Adopt takes over at most limit open completions that no living process drives, or that are long overdue, raising the
// epoch of each. The caller must drive them. A process that was itself judged dead adopts nothing.
func (s *Store) Adopt(ctx context.Context, instanceID string, limit int) ([]completions.Completion, error) {
	const update = `WITH orphans AS (
			SELECT id FROM completions o
			WHERE o.state = 'open' AND EXISTS (SELECT FROM instances i WHERE i.id = $1) AND (
				NOT EXISTS (SELECT FROM instances i WHERE i.id = o.instance_id)
				OR (o.deadline < clock_timestamp() - $3::interval AND o.driven_at < clock_timestamp() - $3::interval))
			ORDER BY o.accepted_at LIMIT $2 FOR UPDATE SKIP LOCKED)
		UPDATE completions c SET instance_id = $1, epoch = c.epoch + 1, driven_at = clock_timestamp()
		FROM orphans WHERE c.id = orphans.id
		RETURNING ` + completionColumns
	rows, _ := s.pool.Query(ctx, update, instanceID, limit, overdue)
	adopted, err := pgx.CollectRows(rows, scanCompletion)
	if err != nil {
		return nil, fmt.Errorf("adopting completions: %w", err)
	}
	return adopted, nil
}

// Unstarted lists at most limit open completions that no attempt was begun for in a while, though their process lives. The
// caller starts those whose workflow does not exist; one that is only waiting for its turn is left alone, so the epoch
// stays.
func (s *Store) Unstarted(ctx context.Context, limit int) ([]completions.Completion, error) {
	const update = `WITH waiting AS (
			SELECT id FROM completions o
			WHERE o.state = 'open' AND o.attempts = 0 AND o.driven_at < clock_timestamp() - $2::interval
			ORDER BY o.accepted_at LIMIT $1 FOR UPDATE SKIP LOCKED)
		UPDATE completions c SET driven_at = clock_timestamp() FROM waiting WHERE c.id = waiting.id
		RETURNING ` + completionColumns
	rows, _ := s.pool.Query(ctx, update, limit, unstarted)
	waiting, err := pgx.CollectRows(rows, scanCompletion)
	if err != nil {
		return nil, fmt.Errorf("listing completions without an attempt: %w", err)
	}
	return waiting, nil
}

// StillDrives says whether the completion is open and this epoch's to start, and notes that it is being seen to.
func (s *Store) StillDrives(ctx context.Context, call completions.Fence) (bool, error) {
	const update = `UPDATE completions SET driven_at = clock_timestamp()
		WHERE id = $1 AND epoch = $2 AND instance_id = $3 AND state = 'open'`
	tag, err := s.pool.Exec(ctx, update, call.ID, call.Epoch, call.InstanceID)
	if err != nil {
		return false, fmt.Errorf("looking who drives %s: %w", call.ID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Disown gives an adopted completion back that could not be started: the next round of any process takes it up.
func (s *Store) Disown(ctx context.Context, call completions.Fence) error {
	const update = `UPDATE completions SET instance_id = '' WHERE id = $1 AND epoch = $2 AND instance_id = $3 AND state = 'open'`
	if _, err := s.pool.Exec(ctx, update, call.ID, call.Epoch, call.InstanceID); err != nil {
		return fmt.Errorf("disowning %s: %w", call.ID, err)
	}
	return nil
}
