package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/llm"
)

// asking is a request for the model with more members.
func asking(model, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]` + more + `}`
}

// routing is what stands in the record of what a request asked of its routing.
func (b *bundle) routing(t *testing.T, object map[string]any) *llm.Routing {
	t.Helper()
	id, _ := object["id"].(string)
	request, err := b.store.Request(context.Background(), id)
	require.NoError(t, err)
	return request.Routing
}

func TestWhatARequestAsksOfItsRoutingStandsInTheRecord(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
	require.Nil(t, b.routing(t, object), "nothing was asked")

	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("demo", `"models":["demo","openai/gpt-4.1"],"tags":["eu"],"cache":{"s-maxage":60}`),
		"X-LiteLLM-Tags", "paid, eu,", "Cache-Control", "no-store, max-age=5")
	require.Equal(t, &llm.Routing{
		Fallbacks: []string{"openai/gpt-4.1"}, Tags: []string{"eu", "paid"}, Cache: &llm.CacheControl{NoStore: true, MaxAge: time.Minute},
	}, b.routing(t, object), "the body's own word on age is the narrower")

	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Cache-Control", "max-age=0")
	require.Equal(t, &llm.Routing{Cache: &llm.CacheControl{NoRead: true}}, b.routing(t, object))
	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Cache-Control", "no-transform, max-age=x")
	require.Nil(t, b.routing(t, object))
}

func TestASuffixSortsTargetsWhereTheWholeNameIsNoRoute(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) { cfg.Routes = append(cfg.Routes, "own:floor", "own") })
	_, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("demo:nitro", ""))
	require.Equal(t, &llm.Routing{Sort: llm.SortThroughput}, b.routing(t, object))
	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("demo:floor", `"provider":{"sort":"price"}`))
	require.Equal(t, &llm.Routing{Sort: llm.SortPrice}, b.routing(t, object))
	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("own:floor", ""))
	require.Nil(t, b.routing(t, object))
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("demo:floor", `"provider":{"sort":"latency"}`))
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
	require.Equal(t, "invalid_value", code(object))
	response, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("demo:online", ""))
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Equal(t, "model_not_found", code(object))
}

func TestModelsAndProvidersThatAreAskedForMustBeKnown(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) { cfg.Hidden, cfg.Providers = []string{"alias"}, []string{"anthropic", "openai"} })
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("demo", `"fallbacks":["alias","missing"]`))
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Equal(t, "model_not_found", code(object))
	require.Contains(t, object["error"].(map[string]any)["message"], "missing") //nolint:forcetypeassert // a test
	for _, member := range []string{"order", "only", "ignore"} {
		response, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", asking("demo", `"provider":{"`+member+`":["OpenAI","opnai"]}`))
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		failure, _ := object["error"].(map[string]any)
		require.Equal(t, "provider."+member, failure["param"])
		require.Equal(t, "No provider is called 'opnai'. Known are anthropic, openai.", failure["message"])
	}
	response, _ = b.do(t, http.MethodPost, "/v1/embeddings", "a", `{"model":"demo","input":"x","models":["missing"]}`)
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Zero(t, b.starts.Load())
}

func TestARequestRepeatedWithAnotherTokenIsTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) { cfg.Parks = func(_ string, async bool) bool { return async } })
	_, first := b.do(t, http.MethodPost, "/v1/chat/completions", "a/tok_1", hello, "Idempotency-Key", "k", "Cache-Control", "no-cache")
	require.Equal(t, &llm.Routing{Token: "tok_1", Cache: &llm.CacheControl{NoRead: true}}, b.routing(t, first))
	_, again := b.do(t, http.MethodPost, "/v1/chat/completions", "a/tok_2", hello, "Idempotency-Key", "k")
	require.Equal(t, first, again)
	response, _ := b.do(t, http.MethodPost, "/v1/chat/completions", "a/tok_2", hello, "Idempotency-Key", "k", "Prefer", "respond-async")
	require.Equal(t, http.StatusAccepted, response.StatusCode)
	require.Equal(t, int32(1), b.starts.Load())
	response, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a/tok_1", asking("demo", `"provider":{"only":["openai"]}`), "Idempotency-Key", "k")
	require.Equal(t, http.StatusConflict, response.StatusCode, "what the body asks of the routing is a part of it")
	require.Equal(t, "idempotency_key_reused", code(object))
}

func TestWhoMayWaitIsParked(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *api.Config) {
		cfg.Parks = func(route string, async bool) bool { return route == "demo" && async }
	})
	_, object := b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello)
	require.Nil(t, b.routing(t, object))
	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", hello, "Prefer", "respond-async")
	require.Equal(t, &llm.Routing{Park: true}, b.routing(t, object))
	_, object = b.do(t, http.MethodPost, "/v1/chat/completions", "a", strings.Replace(hello, "demo", "openai/gpt-4.1", 1), "Prefer", "respond-async")
	require.Nil(t, b.routing(t, object))
}
