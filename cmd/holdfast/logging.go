package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// loggingFlags adds --log-level and --log-format; the returned function makes the logger from them.
func loggingFlags(cmd *cobra.Command, defaultFormat string) func() (*slog.Logger, error) {
	level := cmd.Flags().String("log-level", "info", "debug, info, warn or error")
	format := cmd.Flags().String("log-format", defaultFormat, "json or text")
	return func() (*slog.Logger, error) {
		var parsed slog.Level
		if err := parsed.UnmarshalText([]byte(*level)); err != nil {
			return nil, fmt.Errorf("--log-level: %w: %w", err, errUsage)
		}
		if *format != "json" && *format != "text" {
			return nil, fmt.Errorf("--log-format must be json or text: %w", errUsage)
		}
		return newLogger(cmd.ErrOrStderr(), *format, parsed), nil
	}
}

// levelFloor passes on only what is at or above its level.
type levelFloor struct {
	slog.Handler
	floor slog.Level
}

func atLeast(handler slog.Handler, floor slog.Level) slog.Handler { return levelFloor{handler, floor} }

func (h levelFloor) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.floor && h.Handler.Enabled(ctx, level)
}

func (h levelFloor) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelFloor{h.Handler.WithAttrs(attrs), h.floor}
}

func (h levelFloor) WithGroup(name string) slog.Handler {
	return levelFloor{h.Handler.WithGroup(name), h.floor}
}

// withoutMessage passes on all but one message.
type withoutMessage struct {
	slog.Handler
	message string
}

func without(handler slog.Handler, message string) slog.Handler {
	return withoutMessage{handler, message}
}

func (h withoutMessage) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == h.message {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

func (h withoutMessage) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withoutMessage{h.Handler.WithAttrs(attrs), h.message}
}

func (h withoutMessage) WithGroup(name string) slog.Handler {
	return withoutMessage{h.Handler.WithGroup(name), h.message}
}
