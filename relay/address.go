package relay

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// Advertised is the address that other processes reach a listener by. One that listens on all of a machine's addresses is
// reached by that which leads from here to the database: all processes have a way there.
func Advertised(ctx context.Context, listener net.Listener, database string) (string, error) {
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return listener.Addr().String(), nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", database) // sends nothing
	if err != nil {
		return "", fmt.Errorf("no address is found that leads to %s: %w", database, err)
	}
	defer func() { _ = conn.Close() }()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return "", fmt.Errorf("no address is found that leads to %s", database)
	}
	return net.JoinHostPort(local.IP.String(), strconv.Itoa(tcp.Port)), nil
}
