package simulator

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Config says what [Serve] listens on. Addresses are host:port; port 0 takes a free one. What has no address is not served.
type Config struct {
	// Simulator is what is served; nil means a new one with the zero [Options]. Closing what runs closes it.
	Simulator *Simulator
	// Addrs are the vendors' own ports.
	Addrs map[Vendor]string
	// CombinedAddr serves all vendors on one port: see [Simulator.CombinedHandler].
	CombinedAddr string
	// ControlAddr serves [Simulator.ControlHandler].
	ControlAddr string
	// ControlToken must be sent to the control API as a bearer token, unless it is empty.
	ControlToken string
}

// Running is a simulator that listens.
type Running struct {
	simulator *Simulator
	servers   []*http.Server
	addrs     map[Vendor]string
	control   string
	serving   sync.WaitGroup
	failed    chan error
	stop      func() bool
}

// Serve listens on all addresses, or on none and says why. It serves until Close, or until ctx ends, which cuts all calls.
func Serve(ctx context.Context, config Config) (*Running, error) {
	sim := config.Simulator
	if sim == nil {
		sim = New(Options{})
	}
	r := &Running{simulator: sim, addrs: make(map[Vendor]string), failed: make(chan error, len(config.Addrs)+2)}
	listen := func(addr string, handler http.Handler) (string, error) {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
		if err != nil {
			return "", fmt.Errorf("listen on %s: %w", addr, err)
		}
		r.start(listener, handler)
		return reachable(listener.Addr()), nil
	}
	if err := r.listenAll(config, listen); err != nil {
		r.closeServers()
		r.serving.Wait()
		return nil, err
	}
	r.stop = context.AfterFunc(ctx, r.cut)
	return r, nil
}

func (r *Running) listenAll(config Config, listen func(string, http.Handler) (string, error)) error {
	if config.CombinedAddr != "" {
		addr, err := listen(config.CombinedAddr, r.simulator.CombinedHandler())
		if err != nil {
			return err
		}
		for _, vendor := range Vendors() {
			r.addrs[vendor] = addr
		}
	}
	for vendor, at := range config.Addrs {
		if _, err := ParseVendor(string(vendor)); err != nil {
			return err
		}
		addr, err := listen(at, r.simulator.Handler(vendor))
		if err != nil {
			return fmt.Errorf("%s: %w", vendor, err)
		}
		r.addrs[vendor] = addr
	}
	if config.ControlAddr == "" {
		return nil
	}
	addr, err := listen(config.ControlAddr, requireToken(config.ControlToken, r.simulator.ControlHandler()))
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	r.control = addr
	return nil
}

// start serves one listener. There is no read or write timeout: a call may take as long as its fault says, and a read
// deadline that passes meanwhile would look like a client that left. Headers, bodies and idle connections are bounded.
func (r *Running) start(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	r.servers = append(r.servers, server)
	r.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.failed <- err
		}
	})
}

// reachable is the address to call: of a listener on all interfaces, the loopback one.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return addr.String()
}

func requireToken(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			writeJSON(w, http.StatusUnauthorized, errorReply{Error: "a bearer token is required"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Simulator is what is served.
func (r *Running) Simulator() *Simulator { return r.simulator }

// Addr is the host:port on which the vendor is served; empty if it is not.
func (r *Running) Addr(vendor Vendor) string { return r.addrs[vendor] }

// BaseURL is what the vendor's SDK takes as its base URL: with /v1 for OpenAI, without a path for the others. Empty if the
// vendor is not served.
func (r *Running) BaseURL(vendor Vendor) string {
	addr := r.addrs[vendor]
	switch {
	case addr == "":
		return ""
	case vendor == OpenAI:
		return "http://" + addr + "/v1"
	default:
		return "http://" + addr
	}
}

// ControlURL is the base URL for a [Client]; empty if the control API is not served.
func (r *Running) ControlURL() string {
	if r.control == "" {
		return ""
	}
	return "http://" + r.control
}

// Failed reports a listener that broke while serving.
func (r *Running) Failed() <-chan error { return r.failed }

// cut closes everything at once.
func (r *Running) cut() {
	r.simulator.Close()
	r.closeServers()
}

func (r *Running) closeServers() {
	for _, server := range r.servers {
		_ = server.Close()
	}
}

// Close ends calls that hang or wait, lets the others finish until ctx ends, and stops listening.
func (r *Running) Close(ctx context.Context) error {
	r.stop()
	r.simulator.Close()
	var problems []error
	for _, server := range r.servers {
		if err := server.Shutdown(ctx); err != nil {
			problems = append(problems, err, server.Close())
		}
	}
	r.serving.Wait()
	return errors.Join(problems...)
}
