package e2e_test

import (
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// The second answer is under way when everything dies: API, worker, Temporal and PostgreSQL. What started then listens at other
// addresses, and the chat goes on there.
func TestAChatSurvivesTheDeathOfItsServer(t *testing.T) {
	t.Parallel()
	long(t)
	providers := simulate(t)
	config := providers.config(t, []string{"talk", "openai/gpt-4.1"})
	dir := dataDir(t)
	holdfast := up(t, dir, config)
	in, lines := io.Pipe()
	chat, err := spawn(binary(t), in, nil, "chat", "--data", dir)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = lines.Close() // its reader is waited for
		_ = chat.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("the chat said: %s", &chat.stderr)
		}
	})
	say := func(line string) {
		_, err := io.WriteString(lines, line+"\n")
		require.NoError(t, err)
	}

	const hello = "[openai/gpt-4.1] You said: Hello\n"
	say("Hello")
	require.Eventually(t, func() bool { return chat.stdout.String() == hello }, late, tick)

	words := strings.TrimSpace(strings.Repeat("and the rain went on over the hills, größer und größer, ", 8))
	providers.SetBehaviour(simulator.OpenAI, simulator.Behaviour{EventDelay: 250 * time.Millisecond})
	say(words)
	require.Eventually(t, func() bool { return len(chat.stdout.String()) > len(hello)+200 }, late, tick)
	holdfast.kill(t)
	require.Less(t, len(chat.stdout.String()), len(hello)+len(words), "the answer was whole before the kill")
	address := holdfast.at.API
	holdfast = up(t, dir, config)
	require.NotEqual(t, address, holdfast.at.API)
	require.NoError(t, lines.Close())
	require.Zero(t, chat.exitCode(t, late), "%s", &chat.stderr)

	requireSame(t, hello+"[openai/gpt-4.1] You said: "+words+"\n", chat.stdout.String(), "what the chat has printed")
	notes := chat.stderr.String()
	require.Equal(t, 1, strings.Count(notes, "the connection broke"), notes)
	require.Contains(t, notes, "- openai/gpt-4.1, 2 attempts, ")
	conversation := regexp.MustCompile(`--conversation (conv_\w+)`).FindStringSubmatch(notes)
	require.NotNil(t, conversation, notes)
	require.Len(t, holdfast.turns(t, conversation[1]), 4)

	again := command(t, "And on\n", nil, "chat", "--data", dir, "--conversation", conversation[1])
	require.Equal(t, "[openai/gpt-4.1] You said: And on\n", again)
	shown := command(t, "", nil, "conversations", "show", conversation[1], "--data", dir, "--last", "2")
	require.Contains(t, shown, "6  assistant, openai/gpt-4.1")
	require.Contains(t, shown, "4 items before")
}

// The simulated providers of the demo are parts of the process that stops: they stop last.
func TestTheDemoFinishesWhatItAnswersBeforeItStops(t *testing.T) {
	t.Parallel()
	long(t)
	dir := dataDir(t)
	holdfast := up(t, dir, "")
	command(t, "", nil, "simulate", "fault", "openai", "--latency", "3s", "--data", dir)
	chat, err := spawn(binary(t), strings.NewReader("Hello\n"), nil, "chat", "--data", dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = chat.end(syscall.SIGKILL) })
	require.Eventually(t, func() bool { return len(holdfast.recorded(t, "open")) == 1 }, late, tick)
	holdfast.signal(t, syscall.SIGTERM)
	require.Zero(t, chat.exitCode(t, late), "%s", &chat.stderr)
	require.Equal(t, "[openai/gpt-4.1] You said: Hello\n", chat.stdout.String())
	require.Zero(t, holdfast.exitCode(t, late))
}
