package temporalserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
)

// loopback is where the services talk to each other.
const loopback = "127.0.0.1"

// address is an IP and a port to listen on.
type address struct {
	ip   net.IP
	port int
}

// dial is how a process on this machine reaches the address.
func (a address) dial() string {
	ip := a.ip
	if ip.IsUnspecified() {
		ip = net.ParseIP(loopback)
	}
	return net.JoinHostPort(ip.String(), strconv.Itoa(a.port))
}

// addresses are all that the server listens on.
type addresses struct {
	frontend, ui              address
	history, matching, worker address
}

// The ports that are chosen here: below those that systems give to outgoing connections by themselves, one of which could
// take a port between its being found free and the server's listening on it.
const (
	lowestPort  = 10_000
	chosenPorts = 20_000
)

// listen listens on an address, for whose port 0 a free one is chosen.
func listen(ctx context.Context, hostPort string) (net.Listener, error) {
	var config net.ListenConfig
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil || port != "0" {
		return config.Listen(ctx, "tcp", hostPort)
	}
	for range 100 {
		chosen := lowestPort + rand.IntN(chosenPorts) //nolint:gosec // a port is no secret
		if listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(chosen))); err == nil {
			return listener, nil
		}
	}
	return config.Listen(ctx, "tcp", hostPort)
}

// reserve resolves what to listen on and finds out whether it is free, before anything is started: the libraries beneath end
// the process when a port is taken. All listeners are open at once, so no port is given out twice.
func reserve(ctx context.Context, frontend, ui string) (found addresses, err error) {
	var held []io.Closer
	defer func() {
		for _, listener := range held {
			err = errors.Join(err, listener.Close())
		}
	}()
	take := func(what, hostPort string) (address, error) {
		listener, err := listen(ctx, hostPort)
		if err != nil {
			return address{}, fmt.Errorf("address %s for the %s is not free: %w", hostPort, what, err)
		}
		held = append(held, listener)
		tcp, ok := listener.Addr().(*net.TCPAddr)
		if !ok {
			return address{}, fmt.Errorf("address %s for the %s is not TCP", hostPort, what)
		}
		return address{ip: tcp.IP, port: tcp.Port}, nil
	}

	if found.frontend, err = take("Temporal frontend", frontend); err != nil {
		return addresses{}, err
	}
	if ui != "" {
		if found.ui, err = take("Temporal Web UI", ui); err != nil {
			return addresses{}, err
		}
	}
	for _, service := range []*address{&found.history, &found.matching, &found.worker} {
		if *service, err = take("Temporal services", net.JoinHostPort(loopback, "0")); err != nil {
			return addresses{}, err
		}
	}
	return found, nil
}
