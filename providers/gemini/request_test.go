package gemini_test

import (
	"testing"

	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, model, "", good(t))
}

func TestRequestsOfGemini3(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, "gemini-3-pro-preview", ".gemini-3", good(t))
}

func FuzzRequests(f *testing.F) {
	providertest.FuzzRequests(f, open, model, good(f))
}
