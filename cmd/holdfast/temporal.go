//go:build !slim

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

	"github.com/holdfast-dev/holdfast/standalone/temporalserver"
	"github.com/holdfast-dev/holdfast/workflows"
)

// temporalStopTimeout is how long the services may take to stop before the process ends anyway.
const temporalStopTimeout = 20 * time.Second

// newTemporalCommand runs only the embedded Temporal server, for tests and for machines that keep it apart from the rest.
func newTemporalCommand() *cobra.Command {
	var urlFile string
	cfg := temporalserver.Config{SearchAttributes: searchAttributes()}
	cmd := &cobra.Command{
		Use:   "temporal",
		Short: "Run only the embedded Temporal server and its Web UI on a PostgreSQL",
		Long: "Run only the embedded Temporal server and its Web UI, on the PostgreSQL named by --postgres-url-file or\n" +
			"DATABASE_URL, until interrupted. Prints \"temporal ready on ADDRESS\" when it serves.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := postgresURL(urlFile)
			if err != nil {
				return err
			}
			cfg.PostgresURL = url
			// A throw-away database is ours alone.
			cfg.Managed = cfg.Throwaway
			cfg.Logger = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
			return runTemporal(cmd, cfg)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&urlFile, "postgres-url-file", "", "file that holds the PostgreSQL URL (default: the environment's DATABASE_URL)")
	flags.StringVar(&cfg.FrontendAddr, "listen", "127.0.0.1:7233", "address for Temporal clients; port 0 takes a free one")
	flags.StringVar(&cfg.UIAddr, "ui", "127.0.0.1:8233", "address of the Web UI; empty starts none")
	flags.BoolVar(&cfg.Throwaway, "throwaway", false, "trade durability for speed; the databases are for this run only")
	return cmd
}

// runTemporal serves until the process is told to stop or the server fails.
func runTemporal(cmd *cobra.Command, cfg temporalserver.Config) (err error) {
	ctx := cmd.Context() // ends with the process's first signal
	server, err := temporalserver.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), temporalStopTimeout)
		defer cancel()
		err = errors.Join(err, server.Stop(ending))
	}()
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "temporal ready on %s\n", server.Addr()); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-server.Failed():
		return server.Err()
	}
}

// postgresURL reads the URL from a file or the environment: never from an argument, which every user of the machine can read.
func postgresURL(file string) (string, error) {
	if file == "" {
		if url := os.Getenv("DATABASE_URL"); url != "" {
			return url, nil
		}
		return "", errors.New("set DATABASE_URL or --postgres-url-file")
	}
	raw, err := os.ReadFile(file) //nolint:gosec // the operator's own file
	if err != nil {
		return "", fmt.Errorf("read PostgreSQL URL: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// searchAttributes are what workflows can be found by in the Web UI, in the server's terms.
func searchAttributes() map[string]enumspb.IndexedValueType {
	keys := workflows.SearchAttributes()
	attributes := make(map[string]enumspb.IndexedValueType, len(keys))
	for _, key := range keys {
		attributes[key.GetName()] = key.GetValueType()
	}
	return attributes
}
