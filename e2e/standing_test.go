package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// standing is one instance for the tests that break no process: starting one costs seconds. Each test has a route, and so
// models, of its own; what it shares with the others is the account at each vendor. Its breakers are off, for what one test
// inflicts on an account would be held against all: watched has them on.
var standing = sharedInstance{config: standingConfig}

type sharedInstance struct {
	config    func(providers) string
	once      sync.Once
	err       error
	root      string
	instance  *instance
	providers providers
}

// use gives the instance, started on first use, and its providers.
func (s *sharedInstance) use(t testing.TB) (*instance, providers) {
	t.Helper()
	s.once.Do(func() { s.err = s.start(t) })
	require.NoError(t, s.err)
	t.Cleanup(func() {
		if t.Failed() {
			s.instance.showLog(t, "up")
		}
	})
	return s.instance, s.providers
}

func (s *sharedInstance) start(t testing.TB) (err error) {
	t.Helper()
	if s.providers, err = serveProviders(); err != nil {
		return err
	}
	if s.root, err = makeDataDir(); err != nil {
		return err
	}
	config := filepath.Join(s.root, "gateway.yaml")
	if err := os.WriteFile(config, []byte(s.config(s.providers)), 0o600); err != nil {
		return err
	}
	dir := filepath.Join(s.root, "data")
	p, err := spawn(binary(t), nil, nil, upArgs(t, dir, config)...)
	if err != nil {
		return err
	}
	s.instance = &instance{process: p, dir: dir}
	ctx, cancel := context.WithTimeout(context.Background(), late)
	defer cancel()
	return s.instance.await(ctx)
}

// close ends the instance after the last test.
func (s *sharedInstance) close() {
	if s.instance != nil {
		_ = s.instance.end(syscall.SIGKILL)
	}
	if s.root != "" {
		_ = removeDataDir(s.root)
	}
	if s.providers.running != nil {
		s.providers.close()
	}
}

func standingConfig(p providers) string {
	return p.configText(settings{
		router: "disable_cooldowns: true, fallbacks: [{asked: [general]}], context_window_fallbacks: [{asked: [larger]}], " +
			"content_policy_fallbacks: [{asked: [lenient]}], model_group_alias: {another-name: asked}",
		holdfast: "media: {allow_private: true}",
	},
		append(dialectRoutes(),
			[]string{"failing", "openai/gpt-failing", "anthropic/claude-standby"},
			[]string{"down", "openai/gpt-down", "anthropic/claude-down"},
			[]string{"popular", "openai/gpt-popular"},
			[]string{"secret", "openai/gpt-secret", "anthropic/claude-secret"},
			[]string{"sdk", "openai/gpt-sdk"},
			[]string{"sdk-claude", "anthropic/claude-sdk"},
			[]string{"sdk-gemini", "gemini/gemini-sdk"},
			[]string{"picture", "openai/gpt-picture", "anthropic/claude-picture"},
			[]string{"warned", "openai/gpt-warned", "anthropic/claude-warned"},
			[]string{"stream", "openai/gpt-stream", "anthropic/claude-stream"},
			[]string{"stream-claude", "anthropic/claude-stream-only"},
			[]string{"stream-gemini", "gemini/gemini-stream-only"},
			[]string{"recover", "openai/gpt-recover", "anthropic/claude-recover"},
			[]string{"recover-ended", "anthropic/claude-ended", "openai/gpt-ended"},
			[]string{"finished", "openai/gpt-finished"},
			[]string{"tool-cut", "openai/gpt-tool-cut", "anthropic/claude-tool-cut"},
			[]string{"json-cut", "openai/gpt-json-cut", "anthropic/claude-json-cut"},
			[]string{"overlap", "openai/gpt-overlap", "gemini/gemini-overlap"},
			[]string{"attach", "openai/gpt-attach"},
			[]string{"cancel", "openai/gpt-cancel"},
			[]string{"cancel-by-operator", "openai/gpt-cancel-by-operator"},
			[]string{"stopped", "openai/gpt-stopped"},
			[]string{"silent", "anthropic/claude-silent stream_timeout: 100"},
			[]string{"gone-streamed", "openai/gpt-gone-streamed"},
			[]string{"gone-whole", "openai/gpt-gone-whole"},
			[]string{"vectors", "openai/text-embedding-3-small"},
			[]string{"vectors-down", "openai/text-embedding-3-large", "gemini/gemini-embedding-001"},
			[]string{"asked", "openai/gpt-asked"},
			[]string{"general", "anthropic/claude-general"},
			[]string{"larger", "gemini/gemini-larger"},
			[]string{"lenient", "anthropic/claude-lenient"},
		)...,
	)
}
