package chat

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// patiently does something again until it comes through, or fails for good. What is told of a failure that may pass is told by its
// caller.
func (c *Client) patiently(ctx context.Context, told func(error), do func() error) error {
	patience := c.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	policy := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return passing(err) && ctx.Err() == nil }).
		WithBackoff(200*time.Millisecond, 5*time.Second).WithJitterFactor(0.2).WithMaxRetries(-1).WithMaxDuration(patience).ReturnLastFailure().
		WithDelayFunc(func(attempt failsafe.ExecutionAttempt[any]) time.Duration {
			if refusal, ok := errors.AsType[*RefusalError](attempt.LastError()); ok && refusal.RetryAfter > 0 {
				return refusal.RetryAfter * 5 / 4 // which jitter may shorten by a fifth
			}
			return -1 // the backoff's
		}).
		OnRetryScheduled(func(event failsafe.ExecutionScheduledEvent[any]) { told(event.LastError()) }).Build()
	err := failsafe.With(policy).WithContext(ctx).Run(do)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// errSilent says that a connection is dead, though nobody has closed it.
var errSilent = errors.New("nothing has come for too long")

// heard is a body that ends its request when nothing comes of it for too long.
type heard struct {
	io.ReadCloser
	timer  *time.Timer
	within time.Duration
	silent func() bool
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.timer.Reset(h.within)
	if err != nil && h.silent() {
		err = errSilent
	}
	return n, err
}

// listen opens an answer that may take its time as long as there are signs of life. The context of the request is given up with
// stop, and ends by itself after a silence.
func (c *Client) listen(ctx context.Context, open func(context.Context) (io.ReadCloser, error)) (_ io.ReadCloser, stop func(), err error) {
	within := c.Silence
	if within == 0 {
		within = DefaultSilence
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(within, func() { cancel(errSilent) })
	stop = func() {
		timer.Stop()
		cancel(nil)
	}
	silent := func() bool { return errors.Is(context.Cause(ctx), errSilent) }
	body, err := open(ctx)
	if err != nil {
		if silent() {
			err = &LostError{Cause: errSilent}
		}
		stop()
		return nil, nil, err
	}
	return &heard{ReadCloser: body, timer: timer, within: within, silent: silent}, stop, nil
}
