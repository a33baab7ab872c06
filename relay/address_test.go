package relay_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/relay"
)

// everywhere is a listener on all addresses, that nobody has to listen on for the test.
type everywhere struct{ net.Listener }

func (everywhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 8082} }

func TestAListenerIsReachedByAnAddressOfItsMachine(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	own, err := relay.Advertised(t.Context(), listener, "127.0.0.1:5432")
	require.NoError(t, err)
	require.Equal(t, listener.Addr().String(), own)
	found, err := relay.Advertised(t.Context(), everywhere{}, "127.0.0.1:5432")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8082", found)
}
