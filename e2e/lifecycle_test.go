package e2e_test

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

func TestCtrlCAnswersWhatIsInFlightAndLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	long(t)
	providers := simulate(t)
	config, dir := providers.config(t, []string{"slow", "openai/gpt-4.1"}), dataDir(t)
	args := []string{
		"up", "--config", config, "--data", dir, "--listen", freeAddress(t), "--admin-listen", freeAddress(t), "--ui-listen", freeAddress(t),
		"--temporal-listen", freeAddress(t), "--grace", "30s", "--log-level", "debug", "--log-format", "json",
	}
	holdfast := &instance{process: run(t, nil, args...), dir: dir}
	require.NoError(t, holdfast.await(within(t, late)))
	at := holdfast.at
	require.Equal(t, []string{"http://" + args[6], "http://" + args[8], "http://" + args[10], args[12]},
		[]string{at.API, at.AdminAPI, at.WebUI, at.Temporal}, "the flags were not followed")
	page, err := http.Get(at.WebUI)
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())
	require.Equal(t, http.StatusOK, page.StatusCode)
	early := holdfast.mustSend(t, ask{route: "slow", prompt: "before", key: "before"})

	providers.takes(simulator.OpenAI, 3*time.Second)
	waiting := make(chan outcome, 1)
	go func() {
		got, err := holdfast.send(t.Context(), ask{route: "slow", prompt: "wait for me", key: "slow"})
		waiting <- outcome{got, err}
	}()
	require.NoError(t, providers.WaitCalls(within(t, soon), simulator.OpenAI, 2))
	postmaster, token := holdfast.postmaster(t), holdfast.token
	holdfast.signal(t, syscall.SIGINT)
	result := <-waiting
	require.NoError(t, result.err)
	require.Equal(t, http.StatusOK, result.status, "%s", result.body)
	require.Contains(t, result.text(t), "wait for me")
	require.Zero(t, holdfast.exitCode(t, soon+soon))
	require.True(t, gone(postmaster), "PostgreSQL is left running")
	for _, base := range []string{at.API, at.AdminAPI, at.WebUI, "http://" + at.Temporal} {
		requireFree(t, base)
	}
	require.NoFileExists(t, filepath.Join(dir, "instance.json"))

	again := up(t, dir, config)
	require.Equal(t, token, again.token)
	require.NotContains(t, again.stdout.String(), token, "the token was shown a second time")
	require.JSONEq(t, string(early.body), string(again.mustSend(t, ask{route: "slow", prompt: "before", key: "before"}).body))
	require.JSONEq(t, string(result.body), string(again.mustSend(t, ask{route: "slow", prompt: "wait for me", key: "slow"}).body))
	require.Len(t, providers.Completions(simulator.OpenAI), 2, "an answered completion was called for again")

	rival := run(t, nil, upArgs(t, dir, config)...)
	require.Equal(t, 1, rival.exitCode(t, soon))
	require.Contains(t, rival.stderr.String(), "another holdfast is running on "+dir)
}

// requireFree requires that nobody listens on the URL's address.
func requireFree(t *testing.T, base string) {
	t.Helper()
	parsed, err := url.Parse(base)
	require.NoError(t, err)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", parsed.Host)
	require.NoError(t, err, "a port is left open")
	require.NoError(t, listener.Close())
}

func TestATakenPortIsToldWithTheFlagThatMovesIt(t *testing.T) {
	t.Parallel()
	long(t)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	for _, flag := range []string{"--listen", "--admin-listen", "--temporal-listen", "--ui-listen"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			dir := dataDir(t)
			args := upArgs(t, dir, "")
			for i := range args {
				if args[i] == flag {
					args[i+1] = taken.Addr().String()
				}
			}
			p := run(t, nil, args...)
			require.Equal(t, 1, p.exitCode(t, soon+soon))
			said := p.stderr.String()
			require.Contains(t, said, taken.Addr().String())
			require.Contains(t, said, flag)
			require.NotContains(t, strings.ToLower(said), "panic")
			_, err := os.Stat(filepath.Join(dir, "postgres"))
			require.ErrorIs(t, err, os.ErrNotExist, "PostgreSQL was started before the ports were looked at")
		})
	}
}
