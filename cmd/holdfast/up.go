//go:build !slim

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/simulator"
	"github.com/holdfast-dev/holdfast/standalone/managedpg"
	"github.com/holdfast-dev/holdfast/standalone/temporalserver"
	"github.com/holdfast-dev/holdfast/worker"
)

type upOptions struct {
	config, data, listen, admin, ui, temporal string
	grace                                     time.Duration
}

func newUpCommand() *cobra.Command {
	var opts upOptions
	cmd := &cobra.Command{
		Use: "up", Short: "Run everything on this machine", Args: cobra.NoArgs,
		Long: `Run PostgreSQL, the Temporal server with its Web UI, the worker and the API in one process.

Without --config it serves a demo: three simulated providers that speak the true OpenAI, Anthropic and Gemini protocols on
loopback, so that no API key is needed. Everything is kept in the data directory; the next start goes on where this one
stopped, however it stopped.

DATABASE_URL names a PostgreSQL to use in place of the managed one, TEMPORAL_ADDRESS (and Temporal's other environment
settings) a Temporal cluster in place of the embedded one.`,
		Example: `  holdfast up
  holdfast up --config gateway.yaml --data /var/lib/holdfast
  printf %s "$KEY" | holdfast keys add openai --name main`,
	}
	cmd.Flags().StringVar(&opts.config, "config", "", "configuration file; none serves the demo")
	cmd.Flags().StringVar(&opts.listen, "listen", "127.0.0.1:8080", "address of the API")
	cmd.Flags().StringVar(&opts.admin, "admin-listen", "127.0.0.1:8081", "address of the admin API")
	cmd.Flags().StringVar(&opts.ui, "ui-listen", "127.0.0.1:8233", "address of the Temporal Web UI; empty for none")
	cmd.Flags().StringVar(&opts.temporal, "temporal-listen", "127.0.0.1:7233", "address of the embedded Temporal server")
	cmd.Flags().DurationVar(&opts.grace, "grace", 20*time.Second, "how long calls in flight may take after Ctrl-C")
	logging := loggingFlags(cmd, "text")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger, err := logging()
		if err != nil {
			return err
		}
		opts.data, _ = cmd.Flags().GetString("data")
		u := &upRun{opts: opts, logger: logger, out: cmd.OutOrStdout(), progress: cmd.ErrOrStderr()}
		err = u.start(cmd.Context())
		if err == nil {
			err = u.wait(cmd.Context())
		}
		u.stop()
		return err
	}
	return cmd
}

// upRun is a running instance: what was started, in order.
type upRun struct {
	opts          upOptions
	logger        *slog.Logger
	out, progress io.Writer

	dir          *dataDir
	postgresData string
	listeners    []net.Listener
	postgres     *managedpg.Server
	temporal     *temporalserver.Server
	simulated    *simulator.Running
	client       client.Client
	node         *node
}

// allWork is what one machine's process works on.
func allWork() worker.Options {
	return worker.Options{Completions: true, ProviderCalls: true, Operations: true, StopTimeout: 2 * time.Second}
}

func (u *upRun) start(ctx context.Context) (err error) {
	limitMemory()
	if u.dir, err = openDataDir(u.opts.data); err != nil {
		return err
	}
	// The ports are taken first: a clash is told before anything has been started.
	listen, err := u.bind(ctx, u.opts.listen, "--listen")
	if err != nil {
		return err
	}
	adminListen, err := u.bind(ctx, u.opts.admin, "--admin-listen")
	if err != nil {
		return err
	}
	if err := u.checkTemporalPorts(ctx); err != nil {
		return err
	}
	cfg, control, err := u.configuration(ctx)
	if err != nil {
		return err
	}
	databaseURL, err := u.startPostgres(ctx)
	if err != nil {
		return err
	}
	if err := u.startTemporal(ctx); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, databaseURL, slog.New(atLeast(u.logger.Handler(), slog.LevelWarn))); err != nil {
		return err
	}
	adminToken, err := access.LoadAdminToken(u.dir.file(adminTokenFile))
	if err != nil {
		return err
	}
	name, err := u.dir.node()
	if err != nil {
		return err
	}
	// The token and the address are there before the first request can be served: scripts wait for /readyz alone.
	if err := u.firstToken(ctx, databaseURL); err != nil {
		return err
	}
	if err := u.dir.announce(u.where()); err != nil {
		return err
	}
	u.node, err = startNode(ctx, nodeConfig{
		node: name, ownNode: true, config: cfg, databaseURL: databaseURL,
		keeperURL: orDefault(cfg.Vault.Keeper, "file://"+u.dir.file("vault.key")), createKeeper: true,
		temporal: u.client, listen: listen, adminListen: adminListen, adminToken: adminToken, simulator: control,
		work: allWork(), grace: u.opts.grace, logger: u.logger,
	})
	if err != nil {
		return err
	}
	return u.welcome()
}

// bind takes a port, or says which flag moves it.
func (u *upRun) bind(ctx context.Context, address, flag string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used (%w): choose another address with %s", address, err, flag)
	}
	u.listeners = append(u.listeners, listener)
	return listener, nil
}

// checkTemporalPorts looks whether the embedded server will have its ports. It binds them itself, later: a port that is
// taken meanwhile is still an error, only a later one.
func (u *upRun) checkTemporalPorts(ctx context.Context) error {
	if externalTemporal() {
		return nil
	}
	for _, port := range []struct{ address, flag string }{{u.opts.temporal, "--temporal-listen"}, {u.opts.ui, "--ui-listen"}} {
		if port.address == "" {
			continue
		}
		listener, err := u.bind(ctx, port.address, port.flag)
		if err != nil {
			return err
		}
		u.listeners = u.listeners[:len(u.listeners)-1]
		if err := listener.Close(); err != nil {
			return err
		}
	}
	return nil
}

// configuration reads the file, or makes the demo with its simulated providers.
func (u *upRun) configuration(ctx context.Context) (cfg *config.Config, control http.Handler, err error) {
	if u.opts.config != "" {
		cfg, err = loadConfig(u.opts.config, u.logger)
		return cfg, nil, err
	}
	loopback := map[simulator.Vendor]string{}
	for _, vendor := range simulator.DemoVendors() {
		loopback[vendor] = "127.0.0.1:0"
	}
	// They outlive the signal to stop: calls in flight are to finish.
	if u.simulated, err = simulator.Serve(context.WithoutCancel(ctx), simulator.Config{Addrs: loopback}); err != nil {
		return nil, nil, fmt.Errorf("starting the simulated providers: %w", err)
	}
	bases := map[string]string{}
	for _, vendor := range simulator.DemoVendors() {
		bases[string(vendor)] = u.simulated.BaseURL(vendor)
	}
	cfg, err = config.Demo(bases)
	return cfg, u.simulated.Simulator().ControlHandler(), err
}

func (u *upRun) startPostgres(ctx context.Context) (url string, err error) {
	if os.Getenv("DATABASE_URL") != "" || os.Getenv("DATABASE_URL_FILE") != "" {
		return databaseURL()
	}
	if u.postgresData, err = postgresData(u.dir); err != nil {
		return "", err
	}
	u.tell("Starting PostgreSQL …")
	if u.postgres, err = managedpg.Start(ctx, u.postgresConfig(0)); err != nil {
		return "", err
	}
	return u.postgres.URL("holdfast"), nil
}

func (u *upRun) postgresConfig(port int) managedpg.Config {
	return managedpg.Config{
		DataDir: u.postgresData, Databases: []string{"holdfast"}, Port: port,
		Logger: slog.New(atLeast(u.logger.Handler(), slog.LevelWarn)),
	}
}

// restartPostgres brings a PostgreSQL back that died, on the port that everyone knows.
func (u *upRun) restartPostgres(ctx context.Context) error {
	u.logger.ErrorContext(ctx, "PostgreSQL has stopped by itself: starting it again", "log", u.postgresData+"/server.log")
	policy := retrypolicy.NewBuilder[*managedpg.Server]().
		WithBackoff(200*time.Millisecond, 2*time.Second).WithMaxRetries(-1).WithMaxDuration(2 * time.Minute).ReturnLastFailure().Build()
	server, err := failsafe.With(policy).WithContext(ctx).Get(func() (*managedpg.Server, error) {
		return managedpg.Start(ctx, u.postgresConfig(u.postgres.Port))
	})
	if err != nil {
		return fmt.Errorf("PostgreSQL has stopped and does not start again: %w", err)
	}
	u.postgres = server
	return nil
}

func (u *upRun) startTemporal(ctx context.Context) (err error) {
	address := ""
	if !externalTemporal() {
		u.tell("Starting the Temporal server …")
		serverURL, err := u.temporalDatabase()
		if err != nil {
			return err
		}
		u.temporal, err = temporalserver.Start(ctx, temporalserver.Config{
			PostgresURL: serverURL, Managed: u.postgres != nil, FrontendAddr: u.opts.temporal, UIAddr: u.opts.ui,
			SearchAttributes: searchAttributeTypes(), Logger: u.logger,
		})
		if err != nil {
			return err
		}
		address = u.temporal.Addr()
	}
	if u.client, err = dialTemporal(ctx, address, u.logger); err != nil {
		return err
	}
	if u.temporal == nil {
		return registerSearchAttributes(ctx, u.client, temporalNamespace())
	}
	return nil
}

func (u *upRun) temporalDatabase() (string, error) {
	if u.postgres != nil {
		return u.postgres.URL("postgres"), nil
	}
	return databaseURL()
}

// firstToken makes the first API token, in its file, on the first start.
func (u *upRun) firstToken(ctx context.Context, databaseURL string) error {
	path := u.dir.file(tokenFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	pool, err := postgres.Open(ctx, databaseURL, postgres.Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer pool.Close()
	_, secret, err := access.NewStore(pool, time.Now).Create(ctx, "default", "first")
	if err != nil {
		return fmt.Errorf("creating the first API token: %w", err)
	}
	return writeFile(path, secret.Reveal()+"\n", 0o600)
}

func (u *upRun) where() instance {
	i := instance{PID: os.Getpid(), API: "http://" + u.opts.listen, AdminAPI: "http://" + u.opts.admin}
	i.API = "http://" + u.listeners[0].Addr().String()
	i.AdminAPI = "http://" + u.listeners[1].Addr().String()
	if u.temporal != nil {
		i.Temporal = u.temporal.Addr()
		if u.opts.ui != "" {
			i.WebUI = "http://" + u.temporal.UIAddr()
		}
	}
	return i
}

// wait lasts until the instance is told to stop, or a part of it dies.
func (u *upRun) wait(ctx context.Context) error {
	for {
		var postgresDone <-chan struct{}
		if u.postgres != nil {
			postgresDone = u.postgres.Done()
		}
		var temporalFailed <-chan struct{}
		if u.temporal != nil {
			temporalFailed = u.temporal.Failed()
		}
		select {
		case <-temporalFailed:
			return fmt.Errorf("the Temporal server has failed: %w", u.temporal.Err())
		case <-ctx.Done():
			u.tell("\nStopping: waiting for calls in flight, at most " + u.opts.grace.String() + ". Ctrl-C again stops at once.")
			return nil
		case err := <-u.node.failed:
			return err
		case <-postgresDone:
			if err := u.restartPostgres(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// stop ends everything in reverse order of its start.
func (u *upRun) stop() {
	ctx := context.Background()
	if u.node != nil {
		u.node.stop(ctx)
	}
	for _, listener := range u.listeners {
		_ = listener.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if u.client != nil {
		u.client.Close()
	}
	if u.temporal != nil {
		if err := u.temporal.Stop(ctx); err != nil {
			u.logger.Warn("the Temporal server did not stop cleanly", "error", err)
		}
	}
	if u.simulated != nil {
		_ = u.simulated.Close(ctx)
	}
	if u.postgres != nil {
		if err := u.postgres.Stop(ctx); err != nil {
			u.logger.Warn("PostgreSQL did not stop cleanly", "error", err)
		}
	}
	if u.dir != nil {
		u.dir.close()
	}
}

func (u *upRun) tell(line string) { _, _ = fmt.Fprintln(u.progress, line) }
