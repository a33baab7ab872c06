package temporalserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	temporallog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger hands the server's log to slog. It never ends the process: what the server calls fatal is logged, kept, and made
// known through failed.
type logger struct {
	to    *slog.Logger
	level slog.Leveler
	fatal *fatal
}

// fatal is the first fatal message, shared by all loggers derived from one.
type fatal struct {
	once sync.Once
	met  chan struct{}
	err  error // read after met
}

var (
	_ temporallog.Logger      = (*logger)(nil)
	_ temporallog.WithLogger  = (*logger)(nil)
	_ temporallog.SLogWrapper = (*logger)(nil)
)

func newLogger(to *slog.Logger, level slog.Leveler) *logger {
	return &logger{
		to: slog.New(&levelHandler{Handler: to.Handler(), level: level}).With("component", "temporal"), level: level,
		fatal: &fatal{met: make(chan struct{})},
	}
}

func (l *logger) failed() <-chan struct{} { return l.fatal.met }

func (l *logger) failure() error {
	select {
	case <-l.fatal.met:
		return l.fatal.err
	default:
		return nil
	}
}

func (l *logger) log(level slog.Level, msg string, tags []tag.Tag) {
	ctx := context.Background()
	if !l.to.Enabled(ctx, level) {
		return
	}
	l.to.LogAttrs(ctx, level, msg, attrs(tags)...) //nolint:sloglint // the messages are the server's
}

func (l *logger) Debug(msg string, tags ...tag.Tag)  { l.log(slog.LevelDebug, msg, tags) }
func (l *logger) Info(msg string, tags ...tag.Tag)   { l.log(slog.LevelInfo, msg, tags) }
func (l *logger) Warn(msg string, tags ...tag.Tag)   { l.log(slog.LevelWarn, msg, tags) }
func (l *logger) Error(msg string, tags ...tag.Tag)  { l.log(slog.LevelError, msg, tags) }
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

// Panic panics as the interface demands: the callers rely on not going on.
func (l *logger) Panic(msg string, tags ...tag.Tag) {
	l.log(slog.LevelError, msg, tags)
	panic("temporal server: " + msg)
}

func (l *logger) Fatal(msg string, tags ...tag.Tag) {
	l.log(slog.LevelError, msg, tags)
	l.fatal.once.Do(func() {
		l.fatal.err = errors.New("temporal server: " + msg)
		for _, t := range tags {
			if cause, ok := t.Value().(error); ok {
				l.fatal.err = fmt.Errorf("%w: %w", l.fatal.err, cause)
			} else if t.Key() == "error" {
				l.fatal.err = fmt.Errorf("%w: %v", l.fatal.err, t.Value())
			}
		}
		close(l.fatal.met)
	})
}

func (l *logger) With(tags ...tag.Tag) temporallog.Logger {
	derived := *l
	derived.to = slog.New(l.to.Handler().WithAttrs(attrs(tags)))
	return &derived
}

// SLog gives the SDK workers inside the server the same log.
func (l *logger) SLog() *slog.Logger { return l.to }

func attrs(tags []tag.Tag) []slog.Attr {
	out := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		out = append(out, slog.Any(t.Key(), t.Value()))
	}
	return out
}

// levelHandler raises the level of a handler.
type levelHandler struct {
	slog.Handler
	level slog.Leveler
}

func (h *levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level.Level() && h.Handler.Enabled(ctx, level)
}

func (h *levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &levelHandler{Handler: h.Handler.WithAttrs(attrs), level: h.level}
}

func (h *levelHandler) WithGroup(name string) slog.Handler {
	return &levelHandler{Handler: h.Handler.WithGroup(name), level: h.level}
}
