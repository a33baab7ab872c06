package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/relay"
	"github.com/holdfast-dev/holdfast/worker"
)

// processFlags are what api and worker have in common.
type processFlags struct {
	config string
	keeper string
	grace  time.Duration
	// internal is where other processes read streams from this one, advertised what they are told of it.
	internal, advertised string
}

func (f *processFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (required)")
	cmd.Flags().StringVar(&f.keeper, "keeper", "",
		"URL of the keeper that protects provider keys, such as file:///run/secrets/vault-key or awskms://…; default: holdfast.keeper of the configuration")
	cmd.Flags().DurationVar(&f.grace, "grace", 60*time.Second, "how long calls in flight may take after SIGTERM")
	cmd.Flags().StringVar(&f.internal, "internal-listen", "127.0.0.1:0",
		"address on which other processes read the streams that this one drives; on several machines one that the others reach, \"\" for none")
	cmd.Flags().StringVar(&f.advertised, "internal-address", "",
		"host:port by which other processes reach --internal-listen; default: the address itself, or of all those of this machine the one that leads to PostgreSQL")
	_ = cmd.MarkFlagRequired("config")
}

// listenInternally opens the listener for other processes.
func (f *processFlags) listenInternally(ctx context.Context, cfg *nodeConfig) (err error) {
	if f.internal == "" {
		return nil
	}
	var lc net.ListenConfig
	if cfg.internalListen, err = lc.Listen(ctx, "tcp", f.internal); err != nil {
		return fmt.Errorf("%s cannot be used (%w): choose another address with --internal-listen", f.internal, err)
	}
	if cfg.internalAddress = f.advertised; cfg.internalAddress != "" {
		return nil
	}
	database, err := pgx.ParseConfig(cfg.databaseURL)
	if err != nil {
		return errors.New("DATABASE_URL is not the URL of a PostgreSQL") // its own text may hold the password
	}
	host := database.Host
	if strings.HasPrefix(host, "/") { // a socket on this machine
		host = "127.0.0.1"
	}
	if cfg.internalAddress, err = relay.Advertised(ctx, cfg.internalListen, net.JoinHostPort(host, strconv.Itoa(int(database.Port)))); err != nil {
		return fmt.Errorf("%w: name this process's address with --internal-address", err)
	}
	return nil
}

const environmentHelp = `
The environment names the servers: DATABASE_URL (or DATABASE_URL_FILE) for PostgreSQL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE
and the rest of Temporal's own convention for the cluster. Run 'holdfast migrate' first.`

func newAPICommand() *cobra.Command {
	var flags processFlags
	var listen, adminListen, adminTokenPath string
	var completionWorker bool
	cmd := &cobra.Command{
		Use: "api", Short: "Run the API with its own completion worker", Args: cobra.NoArgs,
		Long: `Run the API, and in the same process the worker that makes the first call of each completion, so that an answer comes
straight from the provider to the waiting client. Run any number of these; when one dies the others finish its work.
` + environmentHelp,
		Example: `  DATABASE_URL_FILE=/run/secrets/database-url TEMPORAL_ADDRESS=temporal:7233 \
    holdfast api --config gateway.yaml --keeper file:///run/secrets/vault-key --listen 0.0.0.0:8080`,
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address of the API")
	cmd.Flags().StringVar(&adminListen, "admin-listen", "", "address of the admin API; empty for none")
	cmd.Flags().StringVar(&adminTokenPath, "admin-token-file", "", "file of the admin token, made if missing; default: admin-token in --data")
	cmd.Flags().BoolVar(&completionWorker, "completion-worker", true, "work on completions in this process; without, other processes do")
	logging := loggingFlags(cmd, "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger, err := logging()
		if err != nil {
			return err
		}
		var lc net.ListenConfig
		cfg := nodeConfig{work: worker.Options{Completions: completionWorker, ProviderCalls: completionWorker, Operations: completionWorker, StopTimeout: 5 * time.Second}}
		if cfg.listen, err = lc.Listen(cmd.Context(), "tcp", listen); err != nil {
			return fmt.Errorf("%s cannot be used (%w): choose another address with --listen", listen, err)
		}
		if adminListen != "" {
			if cfg.adminListen, err = lc.Listen(cmd.Context(), "tcp", adminListen); err != nil {
				return fmt.Errorf("%s cannot be used (%w): choose another address with --admin-listen", adminListen, err)
			}
			if cfg.adminToken, err = loadAdminToken(cmd, adminTokenPath); err != nil {
				return err
			}
		}
		return runNode(cmd, flags, cfg, logger)
	}
	return cmd
}

func loadAdminToken(cmd *cobra.Command, path string) (access.AdminToken, error) {
	if path == "" {
		data, err := cmd.Flags().GetString("data")
		if err != nil {
			return access.AdminToken{}, err
		}
		if err := os.MkdirAll(data, 0o755); err != nil { //nolint:gosec // what is secret inside has a mode of its own
			return access.AdminToken{}, err
		}
		path = filepath.Join(data, adminTokenFile)
	}
	return access.LoadAdminToken(path)
}

func newWorkerCommand() *cobra.Command {
	var flags processFlags
	var healthListen string
	cmd := &cobra.Command{
		Use: "worker", Short: "Run a worker without an API", Args: cobra.NoArgs,
		Long: `Run a worker: it makes the calls that follow a first failure, and takes over completions whose process has died.
` + environmentHelp,
		Example: `  DATABASE_URL_FILE=/run/secrets/database-url TEMPORAL_ADDRESS=temporal:7233 \
    holdfast worker --config gateway.yaml --keeper file:///run/secrets/vault-key`,
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&healthListen, "health-listen", "", "address that serves /healthz and /readyz; empty for none")
	logging := loggingFlags(cmd, "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger, err := logging()
		if err != nil {
			return err
		}
		cfg := nodeConfig{work: worker.Options{Completions: true, ProviderCalls: true, Operations: true, StopTimeout: 5 * time.Second}}
		if healthListen != "" {
			var lc net.ListenConfig
			if cfg.healthListen, err = lc.Listen(cmd.Context(), "tcp", healthListen); err != nil {
				return fmt.Errorf("%s cannot be used (%w): choose another address with --health-listen", healthListen, err)
			}
		}
		return runNode(cmd, flags, cfg, logger)
	}
	return cmd
}

// runNode runs api or worker until it is told to stop.
func runNode(cmd *cobra.Command, flags processFlags, cfg nodeConfig, logger *slog.Logger) (err error) {
	ctx := cmd.Context()
	limitMemory()
	if cfg.config, err = loadConfig(flags.config, logger); err != nil {
		return err
	}
	if cfg.keeperURL = orDefault(flags.keeper, cfg.config.Vault.Keeper); cfg.keeperURL == "" {
		return fmt.Errorf("no keeper for provider keys: give --keeper, or holdfast.keeper in the configuration: %w", errUsage)
	}
	cfg.createKeeper, cfg.grace, cfg.logger = true, flags.grace, logger
	if cfg.databaseURL, err = databaseURL(); err != nil {
		return err
	}
	if err := postgres.CheckMigrated(ctx, cfg.databaseURL); err != nil {
		return err
	}
	if cfg.temporal, err = dialTemporal(ctx, "", logger); err != nil {
		return err
	}
	defer cfg.temporal.Close()
	if err := flags.listenInternally(ctx, &cfg); err != nil {
		return err
	}
	n, err := startNode(ctx, cfg)
	if err != nil {
		return err
	}
	ready := []any{}
	if cfg.listen != nil {
		ready = append(ready, "api", cfg.listen.Addr().String())
	}
	if cfg.adminListen != nil {
		ready = append(ready, "admin_api", cfg.adminListen.Addr().String())
	}
	logger.InfoContext(ctx, "ready", ready...)
	select {
	case <-ctx.Done():
		logger.InfoContext(ctx, "stopping")
	case err = <-n.failed:
	}
	n.stop(context.WithoutCancel(ctx))
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func loadConfig(path string, logger *slog.Logger) (*config.Config, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	for _, warning := range cfg.Warnings {
		logger.Warn("configuration", "file", path, "line", warning.Line, "path", warning.Path, "message", warning.Message)
	}
	return cfg, nil
}

// limitMemory trades memory for less garbage collection, with an upper bound; GOGC and GOMEMLIMIT win over it.
func limitMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(1200 << 20)
	}
}
