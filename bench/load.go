package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// refused is what an operation returns when it was turned away with a time to come back.
type refused struct{ after time.Duration }

func (r *refused) Error() string { return "refused; come back after " + r.after.String() }

// sample is what one closed loop observed. Only the window after the warm-up counts.
type sample struct {
	Latencies []time.Duration `json:"latencies,omitempty"` // of successes, sorted
	Refused   int             `json:"refused,omitempty"`
	Failed    int             `json:"failed,omitempty"`
	FirstFail string          `json:"first_failure,omitempty"`
	Window    time.Duration   `json:"window"`
}

// perSecond is the rate of successes.
func (s *sample) perSecond() float64 { return float64(len(s.Latencies)) / s.Window.Seconds() }

func (s *sample) quantile(q float64) time.Duration { return quantile(s.Latencies, q) }

// quantile is by the nearest rank; zero of nothing.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// loop is a closed loop: each client makes its next call when its last one has ended.
type loop struct {
	clients int
	// ramp spreads the clients' first calls evenly, so that calls of the same length do not march in step.
	ramp time.Duration
	// warm is how long the loop runs before it counts, window how long it counts.
	warm, window time.Duration
	// opened and closed are called at the window's ends.
	opened, closed func()
	call           func(ctx context.Context) error
}

// run drives the loop. A call counts when it ends inside the window; calls under way at the end are let finish, outside of
// the count, so that they do not disturb the next measurement.
func (l loop) run(ctx context.Context) *sample {
	driving, stop := context.WithCancel(ctx)
	defer stop()
	begin := time.Now().Add(l.ramp + l.warm)
	end := begin.Add(l.window)
	total := &sample{}
	var clients sync.WaitGroup
	var mu sync.Mutex
	for i := range l.clients {
		clients.Go(func() {
			pause(driving, l.ramp*time.Duration(i)/time.Duration(l.clients))
			one := l.client(ctx, driving, begin, end)
			mu.Lock()
			defer mu.Unlock()
			total.add(one)
		})
	}
	pause(ctx, time.Until(begin))
	opened := time.Now()
	l.opened()
	pause(ctx, time.Until(end))
	l.closed()
	total.Window = time.Since(opened)
	stop()
	clients.Wait()
	slices.Sort(total.Latencies)
	return total
}

// client is one client's life. It starts no call once driving ends; a call under way goes on with ctx.
func (l loop) client(ctx, driving context.Context, begin, end time.Time) *sample {
	own := &sample{}
	for driving.Err() == nil {
		start := time.Now()
		err := l.call(ctx)
		now := time.Now()
		counts := now.After(begin) && now.Before(end)
		turnedAway, isRefused := errors.AsType[*refused](err)
		switch {
		case !counts:
		case err == nil:
			own.Latencies = append(own.Latencies, now.Sub(start))
		case isRefused:
			own.Refused++
		default:
			own.fail(err)
		}
		if isRefused {
			pause(driving, turnedAway.after)
		} else if err != nil {
			pause(driving, 100*time.Millisecond)
		}
	}
	return own
}

func (s *sample) fail(err error) {
	s.Failed++
	if s.FirstFail == "" {
		s.FirstFail = err.Error()
	}
}

func (s *sample) add(other *sample) {
	s.Latencies = append(s.Latencies, other.Latencies...)
	s.Refused += other.Refused
	s.Failed += other.Failed
	if s.FirstFail == "" {
		s.FirstFail = other.FirstFail
	}
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
