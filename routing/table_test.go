package routing_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers"
	"github.com/holdfast-dev/holdfast/routing"
	"github.com/holdfast-dev/holdfast/simulator"
)

// vault is a vault that a test fills.
type vault struct {
	mu   sync.Mutex
	keys map[string][]keys.Key
}

func (v *vault) Keys(provider string) []keys.Key {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keys[provider]
}

func (*vault) Unusable(string) string { return "" }

func (v *vault) set(provider string, list ...keys.Key) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys == nil {
		v.keys = map[string][]keys.Key{}
	}
	v.keys[provider] = list
}

func table(t *testing.T, v *vault, yaml string) *routing.Table {
	t.Helper()
	cfg, err := config.Parse("test.yaml", []byte(yaml))
	require.NoError(t, err)
	made, err := routing.New(cfg, v, health.New(routing.HealthConfig(cfg)), http.DefaultClient)
	require.NoError(t, err)
	return made
}

func key(name, secret string) keys.Key { return keys.Key{Name: name, Secret: llm.Secret(secret)} }

const two = `
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4.1, order: 1, weight: 3, timeout: 7, max_retries: 0}
    model_info: {id: first}
  - model_name: gpt
    litellm_params: {model: anthropic/claude-sonnet-4-5, order: 2}
    model_info: {id: second}
  - model_name: other
    litellm_params: {model: openai/gpt-4.1-mini}
    model_info: {id: third}
router_settings: {num_retries: 4}
holdfast: {attempt_timeout: 45}
`

func TestARouteNamesItsDeploymentsAsConfigured(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("openai", key("main", "k"))
	v.set("anthropic", key("main", "k"))
	routes := table(t, v, two)
	targets := routes.Targets("", "gpt", nil, false)
	require.Len(t, targets, 2)
	first, second := targets[0], targets[1]
	require.Equal(t, []any{"first", "openai", "gpt-4.1", 3.0, 1, 7 * time.Second, 0, "gpt", failover.StrategyShuffle, "openai"},
		[]any{first.Deployment, first.Provider, first.Model, first.Weight, first.Order, first.Timeout, first.Retries, first.Group, first.Strategy, first.Place})
	require.Equal(t, []any{"second", "anthropic", "claude-sonnet-4-5", 1.0, 2, 45 * time.Second, 4, "gpt"},
		[]any{second.Deployment, second.Provider, second.Model, second.Weight, second.Order, second.Timeout, second.Retries, second.Group})
	require.Equal(t, []string{"main"}, first.Keys)
	require.Equal(t, "claude-sonnet-4-5", second.Facts.Family)
	require.EqualValues(t, 2_000_000, *first.Facts.InputPrice)
	require.Len(t, routes.Targets("", "other", nil, false), 1)
	require.Empty(t, routes.Targets("", "unknown", nil, false))
}

func TestADeploymentWithoutAKeyIsIneligibleAndSaysWhatToRun(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("openai", key("main", "k"))
	routes := table(t, v, two)
	targets := routes.Targets("", "gpt", nil, false)
	require.Empty(t, targets[0].Ineligible)
	require.Contains(t, targets[1].Ineligible, "no key for anthropic")
	require.Contains(t, targets[1].Ineligible, `printf %s "$KEY" | holdfast keys add anthropic --name main`)

	_, err := routes.Endpoint(activities.Caller{}, "second", nil)
	require.Equal(t, llm.KindCredential, llm.KindOf(err))
	v.set("anthropic", key("main", "k"))
	require.Empty(t, routes.Targets("", "gpt", nil, false)[1].Ineligible, "a key is used as soon as it is there")
	require.NotEmpty(t, targets[1].Ineligible, "a list given out earlier does not change")
	v.set("anthropic")
	require.NotEmpty(t, routes.Targets("", "gpt", nil, false)[1].Ineligible, "and no longer once it is gone")
}

func TestAnEndpointOfOnesOwnNeedsNoKey(t *testing.T) {
	t.Parallel()
	routes := table(t, &vault{}, `
model_list:
  - model_name: local
    litellm_params: {model: openai/llama, api_base: "http://127.0.0.1:11434/v1"}
    model_info: {id: local}
  - model_name: vendor
    litellm_params: {model: openai/gpt-4.1, api_base: "https://api.openai.com/v1"}
    model_info: {id: vendor}
`)
	require.Empty(t, routes.Targets("", "local", nil, false)[0].Ineligible)
	endpoint, err := routes.Endpoint(activities.Caller{}, "local", nil)
	require.NoError(t, err)
	require.Empty(t, endpoint.Key.Reveal())
	require.Empty(t, endpoint.KeyName)
	require.Equal(t, "llama", endpoint.Model)
	require.NotEmpty(t, routes.Targets("", "vendor", nil, false)[0].Ineligible, "the vendor's own address, written out, is not one's own")
	_, err = routes.Endpoint(activities.Caller{}, "vendor", nil)
	require.Equal(t, llm.KindCredential, llm.KindOf(err))
}

func TestADeploymentThatIsNotConfiguredIsGone(t *testing.T) {
	t.Parallel()
	_, err := table(t, &vault{}, two).Endpoint(activities.Caller{}, "removed", nil)
	require.Equal(t, llm.KindModelGone, llm.KindOf(err))
}

func TestDeploymentsAtOneEndpointShareItsClient(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("openai", key("main", "k"))
	v.set("anthropic", key("main", "k"))
	routes := table(t, v, two)
	provider := func(id string) llm.Provider {
		endpoint, err := routes.Endpoint(activities.Caller{}, id, nil)
		require.NoError(t, err)
		return endpoint.Provider
	}
	require.Same(t, provider("first"), provider("third"))
	require.NotSame(t, provider("first"), provider("second"))
}

func TestEachCallIsMadeWithTheKeyOfItsMoment(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim.Handler(simulator.OpenAI))
	t.Cleanup(server.Close)
	v := &vault{}
	routes := table(t, v, strings.ReplaceAll(`
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4.1, api_base: "BASE"}
    model_info: {id: first}
`, "BASE", server.URL+"/v1"))
	call := func() (string, string) {
		endpoint, err := routes.Endpoint(activities.Caller{}, "first", nil)
		require.NoError(t, err)
		_, err = endpoint.Provider.Complete(t.Context(), endpoint.Key, llm.Request{
			Model:    endpoint.Model,
			Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hello")}}},
		})
		require.NoError(t, err)
		calls := sim.Calls(simulator.OpenAI)
		return endpoint.KeyName, calls[len(calls)-1].Key
	}
	v.set("openai", key("old", "test-key-1111111111"), key("spare", "test-key-3333333333"))
	name, sent := call()
	require.Equal(t, "old", name)
	require.Equal(t, simulator.Fingerprint("test-key-1111111111"), sent)
	v.set("openai", key("new", "test-key-2222222222"))
	name, sent = call()
	require.Equal(t, "new", name)
	require.Equal(t, simulator.Fingerprint("test-key-2222222222"), sent)
}

// The configuration knows providers by name only, and the register knows nothing of files: here they are held together.
func TestEveryProviderCanBeConfigured(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, providers.Names(), config.Providers())
}

func TestAnEmbeddingsTargetSaysWhichModelItIs(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("azure", key("main", "k"))
	routes := table(t, v, `
model_list:
  - model_name: vectors
    litellm_params: {model: azure/prod, api_base: "https://acme.openai.azure.com", stream_timeout: 5}
    model_info: {base_model: text-embedding-3-small}
router_settings: {stream_timeout: 9}
`)
	target := routes.Targets("", "vectors", nil, false)[0]
	require.Equal(t, "text-embedding-3-small", target.BaseModel)
	require.Equal(t, 5*time.Second, target.Silence)
}

func TestAFallbackComesBehindTheRouteWithItsOwn(t *testing.T) {
	t.Parallel()
	routes := table(t, &vault{}, `
model_list:
  - {model_name: a, litellm_params: {model: ollama/a}, model_info: {id: a}}
  - {model_name: b, litellm_params: {model: ollama/b}, model_info: {id: b}}
  - {model_name: c, litellm_params: {model: ollama/c}, model_info: {id: c}}
  - {model_name: d, litellm_params: {model: ollama/d}, model_info: {id: d}}
router_settings:
  fallbacks: [{a: [b]}, {b: [a, c]}, {c: [d]}]
  context_window_fallbacks: [{a: [c]}]
  content_policy_fallbacks: [{a: [d]}]
  max_fallbacks: 2
  model_group_alias: {alias: a}
`)
	type place struct {
		deployment string
		stage      int
		on         failover.Trigger
	}
	places := func(route string) []place {
		var list []place
		for _, target := range routes.Targets("", route, nil, false) {
			list = append(list, place{target.Deployment, target.Stage, target.For})
		}
		return list
	}
	want := []place{
		{"a", 0, ""}, {"b", 1, ""}, {"c", 2, ""}, {"c", 1, failover.OnContextLength}, {"d", 2, failover.OnContextLength}, {"d", 1, failover.OnContentPolicy},
	}
	require.Equal(t, want, places("a"), "no route twice, and at most two others")
	require.Equal(t, want, places("alias"))
	require.Equal(t, []place{{"d", 0, ""}}, places("d"))
	require.Empty(t, places("nobody"))

	plan, known := routes.Explain("alias", failover.Ask{}, time.Now())
	require.True(t, known)
	require.Len(t, plan.Candidates, 6)
	require.Equal(t, "fallback to b, the only one", plan.Candidates[1].Reason)
	_, known = routes.Explain("nobody", failover.Ask{}, time.Now())
	require.False(t, known)
}
