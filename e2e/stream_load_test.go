package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// Many slow streams at once: each gets every event about when it was said, and the process grows by little.
func TestFiveHundredSlowStreams(t *testing.T) {
	t.Parallel()
	long(t)
	const streams, delay = 500, 500 * time.Millisecond
	providers := simulate(t)
	providers.SetBehaviour(simulator.OpenAI, simulator.Behaviour{EventDelay: delay})
	holdfast := up(t, dataDir(t), providers.config(t, []string{"slow", "openai/gpt-4.1"}))
	prompt := strings.Repeat("slow words of a slow stream ", 12)
	holdfast.ask(t, streamBody("slow", "once", nil))
	memory, cpu := holdfast.resources(t)

	var wholes, starved atomic.Int32
	var clients sync.WaitGroup
	peak := memory
	begun := time.Now()
	starts := time.NewTicker(10 * time.Millisecond) // an API admits so many starts at once
	defer starts.Stop()
	for i := range streams {
		<-starts.C
		clients.Go(func() {
			response, err := holdfast.open(t.Context(), http.MethodPost, "/v1/chat/completions", streamBody("slow", fmt.Sprint(prompt, i), nil), "Idempotency-Key", fmt.Sprint("slow-", i))
			if err != nil {
				t.Errorf("stream %d: %v", i, err)
				return
			}
			got, last, longest := &reading{}, time.Now(), time.Duration(0)
			err = got.read(response, func() bool {
				longest, last = max(longest, time.Since(last)), time.Now()
				return false
			})
			if err == nil && got.done && strings.HasSuffix(got.text, fmt.Sprint(prompt, i)) {
				wholes.Add(1)
			}
			if longest > 10*delay {
				starved.Add(1)
			}
		})
	}
	finished := make(chan struct{})
	go func() { clients.Wait(); close(finished) }()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for done := false; !done; {
		select {
		case <-finished:
			done = true
		case <-ticker.C:
			now, _ := holdfast.resources(t)
			peak = max(peak, now)
		}
	}
	_, after := holdfast.resources(t)
	took := time.Since(begun)
	t.Logf("%d streams of %s: %d kB of memory a stream at most, %.2f s of CPU in %s (%.1f ms a stream)",
		streams, took.Round(time.Second), (peak-memory)/streams/1024, (after - cpu).Seconds(), took.Round(time.Millisecond),
		float64((after-cpu).Milliseconds())/streams)
	require.Equal(t, int32(streams), wholes.Load())
	require.Zero(t, starved.Load(), "some streams stood still for ten events' time")
}

// resources are the process's resident memory in bytes, and its CPU time. They are for the log: systems without /proc have none
// to tell.
func (p *process) resources(t testing.TB) (memory int64, cpu time.Duration) {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(content)[strings.LastIndexByte(string(content), ')')+2:])
	number := func(i int) int64 {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		require.NoError(t, err)
		return n
	}
	const ticks = 100 // a second: USER_HZ of every Linux that Go runs on
	return number(21) * int64(os.Getpagesize()), time.Duration(number(11)+number(12)) * time.Second / ticks
}

// A client that asks for a large answer and reads none of it holds nobody up: the answer is recorded all the same, and
// others are served.
func TestAReaderThatStopsReading(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := standing.use(t)
	large := strings.Repeat(strings.Repeat("more-than-any-socket-holds", 8)+" ", 40_000)
	connection, err := net.Dial("tcp", strings.TrimPrefix(holdfast.base, "http://"))
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	body := fmt.Sprintf(`{"model":"stopped","stream":true,"messages":[{"role":"user","content":"answer with %s"}]}`, large)
	_, err = fmt.Fprintf(connection, "POST /v1/chat/completions HTTP/1.1\r\nHost: holdfast\r\nAuthorization: Bearer %s\r\nIdempotency-Key: stopped\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		holdfast.token, len(body), body)
	require.NoError(t, err)
	begun := time.Now()
	got := holdfast.mustSend(t, ask{route: "stopped", prompt: "answer with " + large, key: "stopped"})     // the same completion
	require.True(t, strings.TrimSpace(large) == strings.TrimSpace(got.text(t)), "%d bytes", len(got.body)) //nolint:testifylint // too long to be shown
	t.Logf("recorded after %s", time.Since(begun).Round(time.Millisecond))
	require.Len(t, holdfast.record(t, got.id()).Attempts, 1)

	again := &reading{id: got.id()}
	require.NoError(t, holdfast.resume(within(t, late), again, nil))
	require.True(t, strings.TrimSpace(large) == strings.TrimSpace(again.text), "and can be read at another place") //nolint:testifylint // as above
}

// The first word takes ninety seconds, and a proxy between ends what is silent for sixty.
func TestASilentFirstWordBehindAnIdleProxy(t *testing.T) {
	t.Parallel()
	long(t)
	const silence, patience = 90 * time.Second, 60 * time.Second
	holdfast, providers := standing.use(t)
	providers.SetFault(simulator.Anthropic, simulator.Fault{Match: simulator.Match{Model: "claude-silent"}, Latency: silence})
	through := holdfast.client
	through.base = "http://" + idleProxy(t, strings.TrimPrefix(holdfast.base, "http://"), patience)
	response, err := through.open(within(t, 2*late), http.MethodPost, "/v1/chat/completions", streamBody("silent", "Take your time.", nil))
	require.NoError(t, err)
	got := &reading{}
	require.NoError(t, got.read(response, nil))
	require.True(t, got.done)
	require.Contains(t, got.text, "You said: Take your time.")
}

// idleProxy passes connections on to an address, and cuts each in which nothing moves for as long as its patience.
func idleProxy(t testing.TB, to string, patience time.Duration) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			front, err := listener.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("tcp", to)
			if err != nil {
				_ = front.Close()
				continue
			}
			cut := time.AfterFunc(patience, func() { _, _ = front.Close(), back.Close() })
			pump := func(from, to net.Conn) {
				_, _ = io.Copy(to, &moving{from, cut, patience})
				_, _ = front.Close(), back.Close()
			}
			go pump(front, back)
			go pump(back, front)
		}
	}()
	return listener.Addr().String()
}

// moving puts the cut off with every piece that is read.
type moving struct {
	net.Conn
	cut      *time.Timer
	patience time.Duration
}

func (m *moving) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if n > 0 {
		m.cut.Reset(m.patience)
	}
	return n, err
}
