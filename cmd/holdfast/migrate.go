package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	operatorservicepb "go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/workflows"
)

func newMigrateCommand() *cobra.Command {
	var skipTemporal bool
	cmd := &cobra.Command{
		Use: "migrate", Short: "Prepare PostgreSQL and Temporal for this version", Args: cobra.NoArgs,
		Long: `Bring the database named by DATABASE_URL (or DATABASE_URL_FILE) to this version's schema, and register Holdfast's
search attributes with the Temporal cluster that the environment names (TEMPORAL_ADDRESS and friends).

It may run any number of times, also while older processes serve. Run it before api and worker.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger := newLogger(cmd.ErrOrStderr(), "json", slog.LevelInfo)
			url, err := databaseURL()
			if err != nil {
				return err
			}
			if err := postgres.Migrate(cmd.Context(), url, logger); err != nil {
				return err
			}
			if skipTemporal {
				return nil
			}
			c, err := dialTemporal(cmd.Context(), "", logger)
			if err != nil {
				return err
			}
			defer c.Close()
			return registerSearchAttributes(cmd.Context(), c, temporalNamespace())
		},
	}
	cmd.Flags().BoolVar(&skipTemporal, "skip-temporal", false, "prepare PostgreSQL only")
	return cmd
}

// databaseURL is where Holdfast's own database is: DATABASE_URL, or the content of the file named by DATABASE_URL_FILE.
func databaseURL() (string, error) {
	if url := os.Getenv("DATABASE_URL"); url != "" {
		return url, nil
	}
	path := os.Getenv("DATABASE_URL_FILE")
	if path == "" {
		return "", errors.New("no database: set DATABASE_URL, or DATABASE_URL_FILE to a file that holds it")
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("reading DATABASE_URL_FILE: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

// searchAttributeTypes are the search attributes in the form that a server registers them in.
func searchAttributeTypes() map[string]enumspb.IndexedValueType {
	types := map[string]enumspb.IndexedValueType{}
	for _, key := range workflows.SearchAttributes() {
		types[key.GetName()] = key.GetValueType()
	}
	return types
}

// registerSearchAttributes adds what the namespace does not know yet.
func registerSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	known, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservicepb.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("listing Temporal's search attributes: %w", err)
	}
	missing := searchAttributeTypes()
	for name := range known.GetCustomAttributes() {
		delete(missing, name)
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservicepb.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("adding Temporal's search attributes: %w", err)
	}
	return nil
}
