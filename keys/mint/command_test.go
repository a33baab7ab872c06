//go:build unix

package mint_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/keys/mint"
	"github.com/holdfast-dev/holdfast/rotation"
)

// shell makes a minter of a script, which finds what is in arguments as $1 and so on.
func shell(t *testing.T, timeout time.Duration, script string, arguments ...string) (mint.Minter, mint.Request) {
	t.Helper()
	settings := mint.Settings{Kind: "command", Command: append([]string{"/bin/sh", "-c", script, "minter"}, arguments...), Timeout: timeout}
	minter, err := mint.New(settings, nil)
	require.NoError(t, err)
	return minter, mint.Request{
		ID: "r1", Provider: "openai", Name: "main", Admin: "admin-secret-1234567890", Current: "current-key", Handle: "h0",
	}
}

func TestAProgramIsAskedOnItsStandardInput(t *testing.T) {
	t.Parallel()
	asked := filepath.Join(t.TempDir(), "asked")
	minter, request := shell(t, 0, `cat > "$1"; echo '{"key":"new-key","handle":"h1","expires_at":"2027-01-02T03:04:05Z"}'`, asked)
	minted, err := minter.Mint(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, mint.Minted{Key: "new-key", Handle: "h1", Former: "h0", ExpiresAt: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)}, minted)
	text, err := os.ReadFile(asked)
	require.NoError(t, err)
	require.JSONEq(t, `{"action":"mint","rotation":"r1","provider":"openai","name":"main","handle":"h0","admin":"admin-secret-1234567890"}`, string(text))

	request.Admin = ""
	require.NoError(t, minter.Revoke(t.Context(), request, "h9"))
	text, err = os.ReadFile(asked)
	require.NoError(t, err)
	require.JSONEq(t, `{"action":"revoke","rotation":"r1","provider":"openai","name":"main","handle":"h9"}`, string(text))
	require.NoError(t, minter.Abandon(t.Context(), request))
}

func TestAProgramsEnvironmentHoldsNothingOfOurs(t *testing.T) {
	t.Setenv("HOLDFAST_CANARY", "s3cret")
	t.Setenv("LANG", "C")
	seen := filepath.Join(t.TempDir(), "seen")
	minter, request := shell(t, 0, `env > "$1"`, seen)
	require.NoError(t, minter.Abandon(t.Context(), request))
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	require.NotContains(t, string(text), "s3cret")
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, "=")
		require.Contains(t, []string{"PATH", "HOME", "TMPDIR", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}, name, "the last four are the shell's own")
	}
	require.Contains(t, string(text), "LANG=C\n")
}

func TestAFailedProgramIsAnErrorThatQuotesNothing(t *testing.T) {
	t.Parallel()
	minter, request := shell(t, 0, `cat >&2; cat /dev/null; echo '{"key":"leaked-key"}'; exit 3`)
	each(t.Context(), minter, request, func(err error) {
		require.ErrorContains(t, err, "status 3")
		require.NotContains(t, err.Error(), "leaked")
		requireNoSecret(t, err, request)
		require.NotErrorIs(t, err, rotation.ErrRefused)
	})
	minter, request = shell(t, 0, `cat`)
	_, err := minter.Mint(t.Context(), request)
	require.ErrorIs(t, err, rotation.ErrRefused, "it answers with the question")
	requireNoSecret(t, err, request)

	missing, err := mint.New(mint.Settings{Kind: "command", Command: []string{"/nowhere/minter"}}, nil)
	require.NoError(t, err)
	require.ErrorIs(t, missing.Abandon(t.Context(), request), rotation.ErrRefused)
}

func TestAProgramIsKilledWithWhatItHasStarted(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	// Both hold the pipe open for as long as they live.
	minter, request := shell(t, 300*time.Millisecond, `exec 3> "$1"; sleep 600 & echo started >&3; sleep 600`, pipe)
	said := make(chan string, 1)
	go func() {
		text, _ := readAll(pipe)
		said <- text
	}()
	_, err := minter.Mint(t.Context(), request)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "started\n", <-said, "nobody writes any more")
}

func readAll(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(file)
	return string(text), err
}

func TestAProgramEndsWithItsCallersContext(t *testing.T) {
	t.Parallel()
	minter, request := shell(t, time.Hour, `sleep 600`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, minter.Abandon(ctx, request), context.Canceled)
}

func TestAProgramsOutputIsBounded(t *testing.T) {
	t.Parallel()
	minter, request := shell(t, 0, `cat /dev/zero`)
	_, err := minter.Mint(t.Context(), request)
	require.ErrorContains(t, err, "longer")
}

// What a program leaves behind may hold its output open, and is not waited for.
func TestAProgramThatHasEndedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	minter, request := shell(t, time.Hour, `sleep 5 & echo '{"key":"new-key","handle":"h1"}'`)
	began := time.Now()
	_, _ = minter.Mint(t.Context(), request)
	require.Less(t, time.Since(began), 4*time.Second)
}
