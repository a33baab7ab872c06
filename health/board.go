package health

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/failover"
)

const (
	// tellTime bounds one try to tell a change, tellAgain is the pause before the next.
	tellTime  = 5 * time.Second
	tellAgain = time.Second
)

// Standing is a domain's health as all processes know it.
type Standing struct {
	Domain  failover.Domain `json:"domain"`
	Health  failover.Health `json:"health"`
	Version int64           `json:"version"`
}

// Board is where processes tell each other of changes. Package health/store implements it.
type Board interface {
	// Put writes a change, unless what stands says that the domain is open for longer or an operator holds it. It gives what
	// stands then.
	Put(ctx context.Context, name failover.Domain, next failover.Health) (Standing, error)
	// All are the domains of which anything is known.
	All(ctx context.Context) ([]Standing, error)
}

// Teller tells a domain's workflow what stands. Package launch implements it.
type Teller interface {
	Tell(ctx context.Context, name failover.Domain, standing failover.Health, policy failover.BreakerPolicy) error
}

// told is a change, and the policy by which its domain goes on.
type told struct {
	health failover.Health
	policy failover.BreakerPolicy
}

// changes are those that are yet to be told, the latest of each domain.
type changes struct {
	mu      *sync.Mutex
	waiting map[failover.Domain]told
	wake    chan struct{}
}

func newChanges() changes {
	return changes{mu: &sync.Mutex{}, waiting: map[failover.Domain]told{}, wake: make(chan struct{}, 1)}
}

func (c *changes) put(name failover.Domain, next told) {
	c.mu.Lock()
	c.waiting[name] = next
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *changes) take() map[failover.Domain]told {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := maps.Clone(c.waiting)
	clear(c.waiting)
	return taken
}

// again keeps a change for the next round, unless a later one has come.
func (c *changes) again(name failover.Domain, next told) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, later := c.waiting[name]; !later {
		c.waiting[name] = next
	}
}

// RunTelling tells changes to the board, and then to the domains' workflows, until the context ends. The board comes first: it
// is what other processes act by.
func (v *View) RunTelling(ctx context.Context, board Board, teller Teller, logger *slog.Logger) error {
	untold := map[failover.Domain]told{} // what stands, and the workflows do not know yet
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.changes.wake:
		case <-time.After(tellAgain):
		}
		for name, change := range v.changes.take() {
			next := change.health
			logger.WarnContext(ctx, "provider health", "domain", name, "state", next.State, "until", next.Until, "cause", next.Cause, "reason", next.Reason)
			standing, err := put(ctx, board, name, next)
			if err != nil {
				logger.DebugContext(ctx, "a change of health was not told; it is tried again", "domain", name, "error", err)
				v.changes.again(name, change)
				continue
			}
			v.saved(standing, next)
			untold[name] = told{standing.Health, change.policy}
		}
		for name, standing := range untold {
			if err := tell(ctx, teller, name, standing.health, standing.policy); err != nil {
				logger.DebugContext(ctx, "a domain's workflow was not told; it is tried again", "domain", name, "error", err)
				break
			}
			delete(untold, name)
		}
	}
}

func tell(ctx context.Context, teller Teller, name failover.Domain, standing failover.Health, policy failover.BreakerPolicy) error {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	return teller.Tell(ctx, name, standing, policy)
}

func put(ctx context.Context, board Board, name failover.Domain, next failover.Health) (Standing, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	return board.Put(ctx, name, next)
}

// saved takes in what stands after a change was told.
func (v *View) saved(standing Standing, told failover.Health) {
	v.mu.Lock()
	defer v.mu.Unlock()
	d := v.at(standing.Domain, v.cfg.Now())
	if d.health == told || standing.Health.Held {
		d.unsaved = false
	}
	v.adopt(d, standing)
}

// Heard takes in what another process, or this one, has told.
func (v *View) Heard(payload string) {
	var standing Standing
	if json.Unmarshal([]byte(payload), &standing) != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heard = v.cfg.Now()
	if standing.Domain != "" {
		v.adopt(v.at(standing.Domain, v.heard), standing)
	}
}

// adopt puts what stands in place of what is older; the lock is held. What this process has seen itself and could not tell yet
// comes before what others knew by then.
func (v *View) adopt(d *domain, standing Standing) {
	if standing.Version <= d.version {
		return
	}
	d.version = standing.Version
	if d.unsaved && !standing.Health.Held && standing.Health.Since.Before(d.health.Since) {
		return
	}
	if standing.Health.State == failover.BreakerClosed && d.health.State != failover.BreakerClosed {
		d.window = failover.Window{}
	}
	if standing.Health.State != failover.BreakerHalfOpen { // others try it; here it stays shut
		d.health, d.unsaved = standing.Health, false
	}
}

// Look reads the board: for a process that may have missed something.
func (v *View) Look(board Board) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, tellTime)
		defer cancel()
		all, err := board.All(ctx)
		if err != nil {
			return err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.heard = v.cfg.Now()
		for _, standing := range all {
			v.adopt(v.at(standing.Domain, v.heard), standing)
		}
		return nil
	}
}

// Known are the domains that something is known of, as this process sees them, by name.
func (v *View) Known() []Standing {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.cfg.Now()
	var list []Standing
	for name := range v.domains {
		if d := v.at(name, now); d.health.State != "" {
			list = append(list, Standing{Domain: name, Health: d.health, Version: d.version})
		}
	}
	slices.SortFunc(list, func(a, b Standing) int { return strings.Compare(string(a.Domain), string(b.Domain)) })
	return list
}
