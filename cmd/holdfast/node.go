package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/health"
	healthstore "github.com/holdfast-dev/holdfast/health/store"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/launch"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/media"
	"github.com/holdfast-dev/holdfast/providers"
	"github.com/holdfast-dev/holdfast/relay"
	"github.com/holdfast-dev/holdfast/routing"
	"github.com/holdfast-dev/holdfast/seal"
	"github.com/holdfast-dev/holdfast/worker"
)

// nodeConfig says what a process does. It is the same code for up, api and worker.
type nodeConfig struct {
	// node begins this process's instance ids; empty takes a random one.
	node string
	// ownNode says that earlier processes of this node are known to be dead.
	ownNode     bool
	config      *config.Config
	databaseURL string
	keeperURL   string
	// createKeeper allows a missing local keeper file to be made.
	createKeeper bool
	temporal     client.Client
	// listen and adminListen are bound listeners, nil for a process without that API.
	listen, adminListen net.Listener
	adminToken          access.AdminToken
	// internalListen is where other processes read the streams that this one drives; nil if there are none. They reach it by
	// internalAddress.
	internalListen  net.Listener
	internalAddress string
	// healthListen serves /healthz and /readyz of a process that has no API; nil for none.
	healthListen net.Listener
	simulator    http.Handler
	work         worker.Options
	// grace is how long calls in flight may take when the process is told to stop.
	grace  time.Duration
	logger *slog.Logger
}

// node is a running process's parts.
type node struct {
	cfg    nodeConfig
	pool   *pgxpool.Pool
	box    *seal.Box
	vault  *keys.Vault
	tokens *access.Store
	record *store.Store
	lease  *worker.Lease
	worker *worker.Worker
	calls  *activities.Calls
	routes *routing.Table
	// rotations are how keys are replaced.
	rotations *rotations
	// alerts is where webhooks are told.
	alerts *alertDesk
	// providers is what this process knows of them, board where processes tell each other.
	providers *health.View
	board     *healthstore.Store
	api       *api.Server
	servers   []*http.Server
	// peers is what processes prove by that they belong together.
	peers llm.Secret
	// background are the loops that live as long as the node.
	background *errgroup.Group
	stopLoops  context.CancelFunc
	failed     chan error
}

// startNode starts everything in order. When it returns without an error, the process serves.
func startNode(ctx context.Context, cfg nodeConfig) (_ *node, err error) {
	n := &node{cfg: cfg, failed: make(chan error, 4)}
	loops, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stopLoops, n.background = stop, &errgroup.Group{}
	defer func() {
		if err != nil {
			stop()
			n.close(context.WithoutCancel(ctx))
		}
	}()
	n.pool, err = postgres.Open(ctx, cfg.databaseURL, postgres.Options{MaxConns: poolSize, Wait: 30 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("opening PostgreSQL: %w", err)
	}
	n.record, n.tokens = store.New(n.pool), access.NewStore(n.pool, time.Now)
	n.vault, err = keys.Open(ctx, keys.Options{
		Pool: n.pool, KeeperURL: cfg.keeperURL, FormerKeepers: cfg.config.Keys.FormerKeepers, CacheFor: cfg.config.Keys.CacheFor,
		CreateLocal: cfg.createKeeper, Logger: cfg.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the vault: %w", err)
	}
	n.loop(loops, n.vault.Run)
	select {
	case <-n.vault.Ready():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if n.box, err = seal.Open(ctx, n.pool, n.vault, cfg.config.Privacy.Seal); err != nil {
		return nil, fmt.Errorf("opening what is sealed: %w", err)
	}
	n.loop(loops, n.box.Run)
	n.alerts = newAlertDesk(alerts.NewStore(n.pool), cfg.config.Alerts, n.vault)
	n.record = n.record.Sealed(n.box)
	hub := handover.NewHub()
	if n.peers, err = n.record.PeerSecret(ctx); err != nil {
		return nil, err
	}
	if err := n.startWork(ctx, loops, hub); err != nil {
		return nil, err
	}
	if err := n.serve(hub); err != nil { //nolint:contextcheck // each request brings its own context
		return nil, err
	}
	return n, nil
}

// poolSize is the number of connections to PostgreSQL that a process holds at most.
const poolSize = 24

// startWork takes the lease and begins to drive completions.
func (n *node) startWork(ctx, loops context.Context, hub *handover.Hub) (err error) {
	cfg := n.cfg
	if cfg.ownNode {
		if err := n.record.LeaveNode(ctx, cfg.node); err != nil {
			return err
		}
	}
	if n.lease, err = worker.NewLease(ctx, n.record, orDefault(cfg.node, "p-"+rand.Text()[:10]), cfg.internalAddress, cfg.logger); err != nil {
		return err
	}
	n.loop(loops, func(ctx context.Context) error { n.lease.Run(ctx); return nil })
	n.watchProviders(loops)
	table, err := routing.New(cfg.config, n.vault, n.providers, providers.HTTPClient())
	if err != nil {
		return err
	}
	n.routes = table
	acts, calls, err := activities.New(activities.Config{
		Store: n.record, Conversations: conversations.NewStore(n.pool).Sealed(n.box), Router: table, Health: n.providers,
		Media: media.NewLibrary(n.pool, media.NewFetcher(media.Config(cfg.config.Media))).Sealed(n.box), Handover: hub, Lease: n.lease, Keys: n.vault,
		Logger: cfg.logger,
	})
	if err != nil {
		return err
	}
	n.calls = calls
	n.loop(loops, calls.RunCheckpoints)
	cancels := &postgres.Listener{
		Pool: n.pool, Channel: store.CancelChannel, Heard: calls.Cancel, Look: calls.CancelRequested, Logger: cfg.logger,
	}
	n.loop(loops, cancels.Run)
	ops, err := activities.NewOperations(activities.OperationsConfig{
		Board: n.board, Probed: table, Teller: launch.Health{Temporal: cfg.temporal}, Works: n.providers.Works, Policy: n.providers.Policy(), Successes: cfg.config.Probes.Successes, Name: "probe", Logger: cfg.logger,
	})
	if err != nil {
		return err
	}
	retention, err := activities.NewRetention(activities.RetentionConfig{
		Eraser: n.record, Keep: cfg.config.Privacy.Retention, Tenants: cfg.config.Privacy.Tenants, Logger: cfg.logger,
	})
	if err != nil {
		return err
	}
	if n.rotations, err = newRotations(cfg.config.Keys, n.vault, cfg.temporal); err != nil {
		return err
	}
	operating, err := n.rotations.keyActivities(table, n.record, cfg.config.Alerts.Expiry, cfg.logger)
	if err != nil {
		return err
	}
	telling, err := activities.NewAlerts(activities.AlertsConfig{Desk: n.alerts, Logger: cfg.logger})
	if err != nil {
		return err
	}
	n.worker = worker.New(cfg.temporal, acts, append(operating, ops, retention, telling), cfg.work)
	if err := n.worker.Start(); err != nil {
		return err
	}
	redriver := &worker.Redriver{Store: n.record, Starter: cfg.temporal, Lease: n.lease, Logger: cfg.logger}
	n.loop(loops, func(ctx context.Context) error { redriver.Run(ctx); return nil })
	return nil
}

// watchProviders begins to remember what is known of providers, to hear it from other processes, and to tell them.
func (n *node) watchProviders(loops context.Context) {
	cfg := n.cfg
	view := routing.HealthConfig(cfg.config)
	view.Name, _ = n.lease.Current()
	n.providers, n.board = health.New(view), healthstore.New(n.pool)
	listener := &postgres.Listener{
		Pool: n.pool, Channel: healthstore.Channel, Heard: n.providers.Heard, Look: n.providers.Look(n.board), Logger: cfg.logger,
	}
	n.loop(loops, listener.Run)
	n.loop(loops, func(ctx context.Context) error {
		return n.providers.RunTelling(ctx, n.board, launch.Health{Temporal: cfg.temporal}, cfg.logger)
	})
	n.loop(loops, func(ctx context.Context) error { n.schedule(ctx); return nil })
}

// schedule sees to the schedules. Until Temporal takes them, nobody is probed, nothing goes that is too old, no key is rotated, and
// alerts stay where they are.
func (n *node) schedule(ctx context.Context) {
	every := n.cfg.config.Probes.Every
	if n.cfg.config.Probes.Off {
		every = 0
	}
	policy := retrypolicy.NewBuilder[any]().WithBackoff(time.Second, time.Minute).WithMaxRetries(-1).Build()
	for what, begin := range map[string]func() error{
		"probes": func() error { return launch.Probes(ctx, n.cfg.temporal, every) }, "retention": func() error { return launch.Retention(ctx, n.cfg.temporal) },
		"key upkeep": func() error { return launch.KeyUpkeep(ctx, n.cfg.temporal) },
		"alerts":     func() error { return launch.Alerts(ctx, n.cfg.temporal, len(n.alerts.webhooks)) },
	} {
		if err := failsafe.With(policy).WithContext(ctx).Run(begin); err != nil && ctx.Err() == nil {
			n.cfg.logger.WarnContext(ctx, "not scheduled", "what", what, "error", err)
		}
	}
}

// serve opens the HTTP APIs on their listeners.
func (n *node) serve(hub *handover.Hub) (err error) {
	cfg := n.cfg
	instance := func() string { id, _ := n.lease.Current(); return id }
	if cfg.internalListen != nil {
		streams := &relay.Server{Secret: n.peers, Feeds: hub, Instance: instance}
		n.serveOn(cfg.internalListen, relay.NewHTTPServer(streams.Handler(), cfg.logger))
	}
	if cfg.listen != nil {
		n.api, err = api.New(api.Config{
			Record: n.record, Conversations: conversations.NewStore(n.pool).Sealed(n.box), Temporal: cfg.temporal, Lease: n.lease,
			Tokens: n.tokens, Hub: hub, Routes: cfg.config.RouteNames(), Hidden: cfg.config.HiddenNames(), Timeout: cfg.config.Timeout, IdempotencyWindow: cfg.config.Privacy.IdempotencyWindow, KeepAlive: cfg.config.StreamKeepAlive,
			MaxBodyBytes: cfg.config.Limits.MaxBodyBytes,
			Admission: api.AdmissionConfig{
				MinStarts: 4, MaxStarts: max(4, cfg.config.Limits.MaxInFlightStarts),
				QueueSize: cfg.config.Limits.QueueSize, QueueTimeout: cfg.config.Limits.QueueTimeout,
			},
			Recovery:  func(route string) failover.Recovery { return failover.Recovery(cfg.config.StreamPolicy(route)) },
			Providers: providers.Names(), Parks: cfg.config.Parks,
			Mirror: relay.NewMirror(n.record, n.peers, instance, cfg.logger), CancelCalls: n.calls.Cancel,
			Count: n.routes.CountTokens, WorksElsewhere: !cfg.work.Completions, Ready: n.ready, Logger: cfg.logger,
		})
		if err != nil {
			return err
		}
		n.listenAndServe(cfg.listen, n.api.Handler(), cfg.config.Timeout)
	}
	if cfg.healthListen != nil {
		n.listenAndServe(cfg.healthListen, n.health(), time.Minute)
	}
	if cfg.adminListen != nil {
		n.listenAndServe(cfg.adminListen, api.NewAdmin(api.AdminConfig{
			Token: cfg.adminToken, AdminTokens: access.NewAdminTokens(n.pool), Audit: audit.NewLog(n.pool), Alerts: n.alerts.store, Webhooks: n.alerts.names(), Metrics: n.metrics(),
			Vault: n.vault, Rotator: n.rotations, ContentKeys: n.box, Tokens: n.tokens, Record: n.record, Temporal: cfg.temporal, Routes: n.routes, Cache: n.record,
			Conversations: conversations.NewStore(n.pool).Sealed(n.box), Providers: n.desk(), Simulator: cfg.simulator, Logger: cfg.logger,
		}), time.Minute)
	}
	return nil
}

// desk is where operators see and change what is known of providers.
func (n *node) desk() *providerDesk {
	routes := make([]string, len(n.cfg.config.Routes))
	for i, route := range n.cfg.config.Routes {
		routes[i] = route.Name
	}
	return &providerDesk{
		routes: routes, table: n.routes, view: n.providers, board: n.board, teller: launch.Health{Temporal: n.cfg.temporal}, logger: n.cfg.logger,
	}
}

func (n *node) listenAndServe(listener net.Listener, handler http.Handler, slowest time.Duration) {
	n.serveOn(listener, &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		WriteTimeout: slowest + 30*time.Second, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(n.cfg.logger.Handler(), slog.LevelWarn),
	})
}

func (n *node) serveOn(listener net.Listener, server *http.Server) {
	n.servers = append(n.servers, server)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			n.failed <- fmt.Errorf("serving on %s: %w", listener.Addr(), err)
		}
	}()
}

// health answers for a process without an API.
func (n *node) health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if n.ready(ctx) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return mux
}

// ready says whether PostgreSQL and Temporal answer.
func (n *node) ready(ctx context.Context) error {
	if err := n.pool.Ping(ctx); err != nil {
		return err
	}
	_, err := n.cfg.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

func (n *node) loop(ctx context.Context, run func(context.Context) error) {
	n.background.Go(func() error {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			n.failed <- err
		}
		return nil
	})
}

// stop refuses new work, lets calls in flight finish within the grace period, and gives the lease back so that others
// drive the rest.
func (n *node) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.grace)
	defer cancel()
	if n.api != nil {
		n.api.Drain()
	}
	var servers errgroup.Group
	for _, server := range n.servers {
		servers.Go(func() error {
			if server.Shutdown(ctx) == nil {
				return nil
			}
			if n.api != nil {
				n.api.Interrupt()
			}
			parting, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			if server.Shutdown(parting) == nil {
				return nil
			}
			return server.Close()
		})
	}
	n.awaitCalls(ctx)
	_ = servers.Wait()
	closing, cancelClosing := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancelClosing()
	n.close(closing)
}

// awaitCalls waits until this process drives nothing any more.
func (n *node) awaitCalls(ctx context.Context) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	instance, _ := n.lease.Current()
	last := 0
	for {
		held, err := n.record.Held(ctx, instance)
		if err != nil || held == 0 {
			return
		}
		if held != last {
			n.cfg.logger.InfoContext(ctx, "waiting for completions in flight", "count", held)
			last = held
		}
		select {
		case <-ctx.Done():
			n.cfg.logger.WarnContext(ctx, "the grace period is over: the rest is driven again by another process, or at the next start", "count", held)
			return
		case <-ticker.C:
		}
	}
}

// close ends the parts. The loops end before the lease is given back, or they would take it, and the work, up again. It is
// safe on a node that started half way.
func (n *node) close(ctx context.Context) {
	n.stopLoops()
	_ = n.background.Wait()
	if n.calls != nil { // whoever takes the streams over goes on from here
		if err := n.calls.Checkpoint(ctx); err != nil {
			n.cfg.logger.WarnContext(ctx, "what streams have said was not kept", "error", err)
		}
	}
	if n.lease != nil {
		if err := n.lease.Leave(ctx); err != nil {
			n.cfg.logger.WarnContext(ctx, "the lease was not given back", "error", err)
		}
	}
	if n.worker != nil {
		n.worker.Stop()
	}
	if n.vault != nil {
		_ = n.vault.Close()
	}
	if n.pool != nil {
		n.pool.Close()
	}
}
