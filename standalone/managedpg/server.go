package managedpg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const (
	host = "127.0.0.1"
	// startTimeout bounds a start whose context has no deadline; recovery after a crash replays the log within it.
	startTimeout = 2 * time.Minute
)

// Config says which server to run.
type Config struct {
	// DataDir holds the databases. It is made when it does not exist; the password lies beside it. Required.
	DataDir string
	// Databases are created when missing. The database "postgres" always exists.
	Databases []string
	// Settings override the server's own settings, by the names of postgresql.conf.
	Settings map[string]string
	// Logger receives what the launcher does; the server writes DataDir/server.log. Nil is silent.
	Logger *slog.Logger
	// Port to listen on at 127.0.0.1; 0 takes a free one, anew at each start.
	Port int
}

// Server is a running PostgreSQL.
type Server struct {
	// Port it listens on at 127.0.0.1.
	Port int

	dataDir string
	secret  string
	process *process
	done    chan struct{}
}

// defaults are the settings of a server for one machine. The log keeps no statement and no row: ERROR messages, which quote
// both, are below its level.
func defaults() map[string]string {
	//nolint:gosec // password_encryption is a method, no password
	return map[string]string{
		"listen_addresses":                 host,
		"unix_socket_directories":          "",
		"max_connections":                  "200",
		"shared_buffers":                   "256MB",
		"max_wal_size":                     "2GB",
		"min_wal_size":                     "256MB",
		"wal_buffers":                      "16MB",
		"wal_compression":                  "on",
		"wal_level":                        "replica",
		"max_wal_senders":                  "2",
		"checkpoint_timeout":               "10min",
		"random_page_cost":                 "1.1",
		"jit":                              "off",
		"timezone":                         "UTC",
		"log_timezone":                     "UTC",
		"logging_collector":                "off",
		"log_min_messages":                 "log",
		"log_min_error_statement":          "panic",
		"log_checkpoints":                  "off",
		"tcp_keepalives_idle":              "30",
		"tcp_keepalives_interval":          "10",
		"tcp_keepalives_count":             "3",
		"password_encryption":              "scram-sha-256",
		"client_connection_check_interval": "5s",
	}
}

// Start finds or fetches server binaries, makes the data directory when there is none, starts the server and waits until it
// answers. Errors name what to do: which command installs a server, which directory cannot be entered, which version the
// data needs. A start that fails leaves no process behind.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if cfg.DataDir == "" {
		return nil, errors.New("managed postgres needs a data directory")
	}
	if cfg.DataDir, err = filepath.Abs(cfg.DataDir); err != nil {
		return nil, fmt.Errorf("resolve data directory: %w", err)
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	settings := defaults()
	maps.Copy(settings, cfg.Settings)
	cfg.Settings = settings
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, startTimeout)
		defer cancel()
	}

	if err := os.MkdirAll(filepath.Dir(cfg.DataDir), parentMode); err != nil {
		return nil, fmt.Errorf("make parent of data directory: %w", err)
	}
	lock, err := lockDataDir(ctx, cfg.DataDir)
	if err != nil {
		return nil, err
	}
	server, err := start(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go func() {
		<-server.process.done
		_ = lock.Close()
		close(server.done)
	}()
	return server, nil
}

// start does the work of [Start] under the lock of the data directory.
func start(ctx context.Context, cfg Config) (*Server, error) {
	major, err := dataVersion(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	bin, err := locate(ctx, cfg, major)
	if err != nil {
		return nil, err
	}
	as, err := serverAccount(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{bin.dir, filepath.Dir(cfg.DataDir)} {
		if err := as.checkReach(dir); err != nil {
			return nil, err
		}
	}
	secret, err := password(cfg.DataDir, major != 0)
	if err != nil {
		return nil, err
	}
	if major == 0 {
		if err := initDataDir(ctx, cfg, bin, as, secret); err != nil {
			return nil, err
		}
	} else if err := clearPostmaster(ctx, cfg.DataDir, cfg.Logger); err != nil {
		return nil, err
	}

	server := &Server{dataDir: cfg.DataDir, secret: secret, done: make(chan struct{})}
	if err := server.run(ctx, cfg, bin, as); err != nil {
		return nil, err
	}
	if err := server.createDatabases(ctx, cfg.Databases); err != nil {
		return nil, errors.Join(err, server.process.stop(ctx))
	}
	cfg.Logger.InfoContext(ctx, "postgres is ready", slog.Int("port", server.Port), slog.Int("major_version", bin.major),
		slog.String("data_dir", cfg.DataDir))
	return server, nil
}

// locate finds binaries for the data directory, and fetches them as the last resort.
func locate(ctx context.Context, cfg Config, major int) (installation, error) {
	bin, err := findBinaries(ctx, major)
	if err == nil {
		return bin, nil
	}
	fetched := filepath.Join(filepath.Dir(cfg.DataDir), "pgbin")
	if mismatch, ok := errors.AsType[*versionError](err); ok {
		mismatch.dataDir = cfg.DataDir
		// A server may have been installed since a fetched one made the data.
		if bin, ok := fetchedBinaries(ctx, fetched, major); ok {
			return bin, nil
		}
	}
	if !errors.Is(err, errNoBinaries) {
		return installation{}, err
	}
	cfg.Logger.InfoContext(ctx, "no postgres on this machine: fetching a build")
	bin, fetchErr := fetchBinaries(ctx, fetched, major)
	if fetchErr != nil {
		return installation{}, fmt.Errorf("%w, and none could be fetched (%w): run %q, or set DATABASE_URL or PG_BIN",
			err, fetchErr, installHint())
	}
	return bin, nil
}

// Pid is the process id of the postmaster.
func (s *Server) Pid() int { return s.process.cmd.Process.Pid }

// URL is the connection string of a database on this server, password included: do not log it.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(role, s.secret),
		Host:     net.JoinHostPort(host, strconv.Itoa(s.Port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}

// Done is closed when the server has gone, by [Server.Stop] or by itself.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop shuts the server down, disconnecting its clients, and waits. When ctx ends first it is ended at once, as by a crash,
// and an error says so; the data is safe either way. Stopping a stopped server does nothing.
func (s *Server) Stop(ctx context.Context) error {
	err := s.process.stop(ctx)
	<-s.done
	return err
}

// Kill ends the server without a checkpoint, as a crash would, and waits: the next start replays its log. For tests of what
// a crash does.
func (s *Server) Kill() error {
	// Not SIGKILL, which would leave backends that go on answering for a while.
	err := s.process.signal(syscall.SIGQUIT)
	<-s.done
	return err
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
