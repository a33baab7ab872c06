package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema of the database to the newest version this binary knows. Any number of processes may call it at
// the same time: one works, the others wait. It needs a connection of its own to a real session: not a pooler in transaction
// mode. Each migration is one transaction, so that a failure leaves the schema at the version before it.
func Migrate(ctx context.Context, url string, logger *slog.Logger) error {
	logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
	return withMigrations(url, func(provider *goose.Provider) error {
		results, err := provider.Up(ctx)
		for _, result := range results {
			if result.Error == nil {
				logger.InfoContext(ctx, "database migrated", slog.Int64("version", result.Source.Version),
					slog.String("file", result.Source.Path), slog.Duration("duration", result.Duration))
			}
		}
		if err != nil {
			return fmt.Errorf("migrate database: %w", err)
		}
		return nil
	})
}

// CheckMigrated fails when the schema of the database is older than this binary needs: servers do not migrate, they refuse
// to start. A newer schema is accepted, since a deploy migrates before it replaces the servers.
func CheckMigrated(ctx context.Context, url string) error {
	return withMigrations(url, func(provider *goose.Provider) error {
		current, target, err := provider.GetVersions(ctx)
		if err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
		if current < target {
			return fmt.Errorf("the database has schema version %d but this binary needs %d: run \"holdfast migrate\"", current, target)
		}
		return nil
	})
}

// withMigrations calls do with a provider of the embedded migrations on connections of its own.
func withMigrations(url string, do func(*goose.Provider) error) (err error) {
	// Parsed as a pool's URL, so that pool_* parameters are taken out and not sent to the server.
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("parse database url: %w", err)
	}
	config.ConnConfig.RuntimeParams["application_name"] = "holdfast migrate"
	db := stdlib.OpenDB(*config.ConnConfig)
	defer func() { err = errors.Join(err, db.Close()) }()

	provider, err := newProvider(db)
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load migrations: %w", err)
	}
	return do(provider)
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what was tried
	}
	// The lock is tried every second for ten minutes: another process may be in a long migration.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what was tried
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, //nolint:wrapcheck // the caller says what was tried
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
}
