package anthropic_test

import (
	"testing"

	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, model, "", good(t))
}

func TestRequestsOfClaude5(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, "claude-opus-5", ".claude-5", good(t))
}

func FuzzRequests(f *testing.F) {
	providertest.FuzzRequests(f, open, model, good(f))
}
