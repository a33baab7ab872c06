package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// listenCheck is how often a listener looks for itself though its connection is well.
	listenCheck = 30 * time.Second
	// listenRetry is how often it looks for itself while it has no connection.
	listenRetry = 2 * time.Second
)

// Listener hears what PostgreSQL announces on a channel, on a connection of its own.
type Listener struct {
	Pool    *pgxpool.Pool
	Channel string
	// Heard is told each announcement's payload.
	Heard func(payload string)
	// Look is called whenever announcements may have been missed: on connecting, every half minute, and every two seconds
	// while there is no connection.
	Look   func(ctx context.Context) error
	Logger *slog.Logger
}

// Run listens until the context ends.
func (l *Listener) Run(ctx context.Context) error {
	down := false
	for {
		err := l.listen(ctx, func() {
			if down {
				l.Logger.InfoContext(ctx, "announcements are heard again", "channel", l.Channel)
			}
			down = false
		})
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was to end
		}
		if !down {
			down = true
			l.Logger.WarnContext(ctx, "announcements cannot be heard; looking every so often", "channel", l.Channel, "error", err)
		}
		if err := l.Look(ctx); err != nil {
			l.Logger.DebugContext(ctx, "looking failed", "channel", l.Channel, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(listenRetry):
		}
	}
}

// listen hears until the connection fails. It listens before it looks, so that nothing falls between.
func (l *Listener) listen(ctx context.Context, up func()) error {
	config := l.Pool.Config().ConnConfig.Copy()
	config.RuntimeParams["application_name"] = "holdfast " + l.Channel
	connecting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(connecting, config)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing) // nothing is lost with it
	}()
	if _, err := conn.Exec(connecting, "LISTEN "+pgx.Identifier{l.Channel}.Sanitize()); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	for {
		if err := l.Look(ctx); err != nil {
			return err
		}
		up()
		if err := l.hear(ctx, conn); err != nil {
			return err
		}
	}
}

// hear returns when it is time to look again.
func (l *Listener) hear(ctx context.Context, conn *pgx.Conn) error {
	waiting, cancel := context.WithTimeout(ctx, listenCheck)
	defer cancel()
	for {
		announced, err := conn.WaitForNotification(waiting)
		switch {
		case err == nil:
			l.Heard(announced.Payload)
		case ctx.Err() == nil && pgconn.Timeout(err):
			return nil
		default:
			return fmt.Errorf("waiting for announcements: %w", err)
		}
	}
}
