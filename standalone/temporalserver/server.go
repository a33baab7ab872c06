package temporalserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log/tag"
	"go.temporal.io/server/temporal"
)

// startTimeout bounds a start whose context has no deadline. A first start makes two schemas, which takes about a second.
const startTimeout = 2 * time.Minute

// Config says what to run. Zero values are for one machine.
type Config struct {
	// PostgresURL reaches the PostgreSQL server through any of its databases. Its user must own the databases "temporal"
	// and "temporal_visibility", or be allowed to create them. Required.
	PostgresURL string
	// FrontendAddr is where clients connect; "127.0.0.1:7233" when empty. Port 0 takes a free one: see [Server.Addr]. The
	// server authenticates nobody, so an address beyond the loopback is for closed networks only.
	FrontendAddr string
	// UIAddr is where the Web UI listens; empty starts none. Port 0 takes a free one.
	UIAddr string
	// Namespace is created when missing; "default" when empty.
	Namespace string
	// Retention is how long closed workflows are kept; 72 h when 0, at least one day.
	Retention time.Duration
	// SearchAttributes of the namespace: added when missing, never removed. Ten Keywords and three of each other type fit.
	SearchAttributes map[string]enumspb.IndexedValueType
	// Managed says that PostgreSQL is ours alone. Indexes of visibility columns that nothing asks for are then dropped: they
	// are most of the database's work in a completion. They come back before a schema upgrade.
	Managed bool
	// Throwaway gives up the durability of the last half second (synchronous_commit=off) for speed: for tests.
	Throwaway bool
	// Logger receives the server's log from LogLevel up. Nil is silent.
	Logger *slog.Logger
	// LogLevel defaults to error; below that the server is talkative.
	LogLevel slog.Leveler
}

// Server is a running Temporal server.
type Server struct {
	addr, uiAddr string
	temporal     temporal.Server
	ui           *webUI
	lock         *pgx.Conn
	log          *logger
	level        *slog.LevelVar
	stopOnce     sync.Once
	stopped      chan struct{}
}

// Start runs the server until [Server.Stop]. It returns when the namespace answers. Nothing is started, and nothing in the
// database is touched, when an address is taken: the error names it.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	cfg.FrontendAddr = cmp.Or(cfg.FrontendAddr, "127.0.0.1:7233")
	cfg.Namespace = cmp.Or(cfg.Namespace, "default")
	cfg.Retention = cmp.Or(cfg.Retention, 72*time.Hour)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.LogLevel == nil {
		cfg.LogLevel = slog.LevelError
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, startTimeout)
		defer cancel()
	}

	addrs, err := reserve(ctx, cfg.FrontendAddr, cfg.UIAddr)
	if err != nil {
		return nil, err
	}
	db, err := newDatabase(cfg)
	if err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	level.Set(cfg.LogLevel.Level())
	s := &Server{addr: addrs.frontend.dial(), level: level, log: newLogger(cfg.Logger, level), stopped: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if s.lock, err = db.prepare(ctx, s.log); err != nil {
		return nil, err
	}
	if err := createNamespace(db, cfg); err != nil {
		return nil, err
	}
	if err := s.startTemporal(ctx, serverConfig(db, addrs)); err != nil {
		return nil, err
	}
	if err := reconcileNamespace(ctx, s.addr, cfg, s.log.failed()); err != nil {
		return nil, err
	}
	if cfg.UIAddr != "" {
		s.uiAddr = addrs.ui.dial()
		if s.ui, err = startUI(ctx, addrs.ui, s.addr, cfg.Namespace); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// startTemporal builds and starts the four services.
func (s *Server) startTemporal(ctx context.Context, cfg *config.Config) error {
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(cfg)),
		temporal.WithLogger(s.log),
		temporal.WithNamespaceLogger(s.log),
		temporal.WithDynamicConfigClient(dynamicConfig()),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
	)
	if err != nil {
		return fmt.Errorf("build temporal server: %w", err)
	}
	// Start takes no context and has time limits of its own.
	started := make(chan error, 1)
	go func() { started <- server.Start() }()
	select {
	case err := <-started:
		s.temporal = server
		if err != nil {
			return fmt.Errorf("start temporal server: %w", err)
		}
		return nil
	case <-s.log.failed():
		return fmt.Errorf("start temporal server: %w", s.log.failure())
	case <-ctx.Done():
		return fmt.Errorf("start temporal server: %w", context.Cause(ctx))
	}
}

// Addr is where clients connect, host and port.
func (s *Server) Addr() string { return s.addr }

// UIAddr is where the Web UI listens, host and port; empty when there is none.
func (s *Server) UIAddr() string { return s.uiAddr }

// Failed is closed when the server met what it considers fatal. It does not end the process for it, as a server of its own
// would; whoever runs it decides. [Server.Err] says what happened.
func (s *Server) Failed() <-chan struct{} { return s.log.failed() }

// Err is what closed [Server.Failed], or nil.
func (s *Server) Err() error { return s.log.failure() }

// Stop stops the UI, then the services in the order that lets each finish what it holds. When ctx ends first Stop returns an
// error and the services go on stopping in the background. Stop the workers before.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		go func() {
			defer close(s.stopped)
			if s.ui != nil {
				s.ui.stop()
			}
			if s.temporal != nil {
				// Loops that are cut off in the middle of a query report it as an error: at this point it is none.
				level := s.level.Level()
				s.level.Set(slog.LevelError + 1)
				err := s.temporal.Stop()
				s.level.Set(level)
				if err != nil {
					s.log.Error("temporal server did not stop cleanly", tag.Error(err)) //nolint:contextcheck // the server's logger has none
				}
			}
			if s.lock != nil {
				closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
				defer cancel()
				_ = s.lock.Close(closing) // the database drops the lock with the connection either way
			}
		}()
	})
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop temporal server: %w", context.Cause(ctx))
	}
}
