package temporalserver

import (
	"context"
	"fmt"

	"github.com/blang/semver/v4"
	"github.com/jackc/pgx/v5"
	schemav12 "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/tools/common/schema"
	toolssql "go.temporal.io/server/tools/sql"
)

// upgrade brings the schema of a database to the version of this server.
func (d *database) upgrade(ctx context.Context, name string, log *logger) error {
	conn, err := d.connect(ctx, name)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is pending

	var comment *string
	err = conn.QueryRow(ctx, "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", name).Scan(&comment)
	if err != nil {
		return fmt.Errorf("read state of database %s: %w", name, err)
	}
	first := comment != nil && *comment == unfinished
	if first {
		// A setup that was cut short cannot be resumed, and has stored nothing yet.
		if _, err := conn.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
			return fmt.Errorf("clear unfinished database %s: %w", name, err)
		}
	}
	if err := d.runSchemaTasks(ctx, conn, name, log); err != nil {
		return fmt.Errorf("set up schema of database %s: %w", name, err)
	}
	if first {
		if _, err := conn.Exec(ctx, "COMMENT ON DATABASE "+pgx.Identifier{name}.Sanitize()+" IS NULL"); err != nil {
			return fmt.Errorf("mark database %s: %w", name, err)
		}
	}
	return nil
}

// runSchemaTasks does what Temporal's own schema tool does, with the schema embedded in the server.
func (d *database) runSchemaTasks(ctx context.Context, conn *pgx.Conn, name string, log *logger) error {
	files, want := "postgresql/v12/temporal", schemav12.Version
	if name == visibilityDatabase {
		files, want = "postgresql/v12/visibility", schemav12.VisibilityVersion
	}
	tool, err := toolssql.NewConnection(d.sqlConfig(name, 1), log)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer tool.Close()

	have, err := tool.ReadSchemaVersion()
	if err != nil {
		have = "0.0"
		setup := schema.NewSetupSchemaTask(tool, &schema.SetupConfig{InitialVersion: have}, log)
		if err := setup.Run(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	older, err := olderThan(have, want)
	if err != nil || !older {
		return err
	}
	if name == visibilityDatabase {
		if err := restoreIndexes(ctx, conn); err != nil {
			return err
		}
	}
	update := schema.NewUpdateSchemaTask(tool, &schema.UpdateConfig{DBName: name, SchemaName: files}, log)
	if err := update.Run(); err != nil {
		return fmt.Errorf("upgrade from version %s: %w", have, err)
	}
	return nil
}

func olderThan(have, want string) (bool, error) {
	a, err := semver.ParseTolerant(have)
	if err != nil {
		return false, fmt.Errorf("read schema version %q: %w", have, err)
	}
	b, err := semver.ParseTolerant(want)
	if err != nil {
		return false, fmt.Errorf("read schema version %q: %w", want, err)
	}
	return a.LT(b), nil
}
