package openai_test

import (
	"testing"

	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, model, "", good(t))
}

func TestRequestsOfReasoningModels(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, "o4-mini", ".reasoning", good(t))
}

func FuzzRequests(f *testing.F) {
	providertest.FuzzRequests(f, open, model, good(f))
}
