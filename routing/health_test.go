package routing_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/routing"
)

const several = `
model_list:
  - {model_name: a, litellm_params: {model: openai/gpt-4.1}, model_info: {id: a}}
  - {model_name: b, litellm_params: {model: anthropic/claude-sonnet-4-5}, model_info: {id: b}}
  - {model_name: c, litellm_params: {model: openai/gpt-4.1, api_base: "https://gateway.example/v1"}, model_info: {id: c}}
  - {model_name: house, litellm_params: {model: ollama/llama3}, model_info: {id: house}}
router_settings:
  fallbacks: [{a: [b]}]
  model_group_alias: {other: c}
holdfast:
  routes:
    a: {when_down: {local: house}, on_limit: wait, hedge: {after: 2s}, cache: {ttl: 1m}, sticky: false}
`

func watched(t *testing.T) (*routing.Table, *health.View, *vault) {
	t.Helper()
	cfg, err := config.Parse("test.yaml", []byte(several))
	require.NoError(t, err)
	view := health.New(routing.HealthConfig(cfg))
	v := &vault{}
	v.set("openai", keys.Key{Name: "main", Mark: "1"}, keys.Key{Name: "spare", Mark: "2"})
	v.set("anthropic", keys.Key{Name: "main", Mark: "3"})
	made, err := routing.New(cfg, v, view, http.DefaultClient)
	require.NoError(t, err)
	return made, view, v
}

func deployments(targets []failover.Target) (names []string) {
	for _, target := range targets {
		names = append(names, target.Deployment)
	}
	return names
}

func TestWhatStandsInIsTheLastOfItsRoute(t *testing.T) {
	t.Parallel()
	table, _, _ := watched(t)
	targets := table.Targets("", "a", nil, false)
	require.Equal(t, []string{"a", "b", "house"}, deployments(targets))
	require.True(t, targets[2].Degraded)
	require.True(t, targets[0].AwaitsLimit)
	policy := table.Policy("a")
	require.Equal(t, 2*time.Second, policy.Hedge.After)
	require.Equal(t, time.Minute, policy.Cache.TTL)
	require.False(t, policy.Sticky)
	require.True(t, table.Policy("other").Sticky)
	require.Equal(t, "c", table.Policy("other").Route)
}

func TestTheFallbacksOfARequestComeBeforeThoseOfItsRoute(t *testing.T) {
	t.Parallel()
	table, _, _ := watched(t)
	plan := failover.Rank(table.Targets("", "a", []string{"other", "a"}, false), failover.Preference{}, func() float64 { return 0 })
	var names []string
	for _, candidate := range plan.Candidates {
		names = append(names, candidate.Deployment)
	}
	require.Equal(t, []string{"a", "c", "b", "house"}, names, "each once, by its own name or another")
}

func TestPlacesAreToldApartWhereThereAreSeveral(t *testing.T) {
	t.Parallel()
	table, _, _ := watched(t)
	for id, domain := range map[string]failover.Domain{
		"a": "openai#main/gpt-4.1", "b": "anthropic#main/claude-sonnet-4-5", "c": "openai:gateway.example#main/gpt-4.1", "house": "ollama#/llama3",
	} {
		endpoint, err := table.Endpoint(activities.Caller{}, id, nil)
		require.NoError(t, err)
		require.Equal(t, domain, endpoint.Call.Domain(failover.ScopeKeyModel))
		found, ok := table.Within(domain)
		require.True(t, ok)
		require.Equal(t, id, found.Call.Deployment)
	}
	_, ok := table.Within("openai/gpt-5")
	require.False(t, ok)
	require.Len(t, table.Endpoints(), 6, "two places of OpenAI's protocol with two keys each, one of Anthropic's, one without a key")
}

func TestADeploymentRestsWhenAllOfItsKeysDo(t *testing.T) {
	t.Parallel()
	table, view, _ := watched(t)
	candidates := []failover.Candidate{{Deployment: "a"}}
	refuse := func(avoid ...string) string {
		endpoint, err := table.Endpoint(activities.Caller{}, "a", avoid)
		require.NoError(t, err)
		permit, rest := view.Admit(endpoint.Call, 1, false)
		require.NotNil(t, permit, rest.Reason)
		permit.Done(activities.Outcome{Kind: llm.KindCredential})
		return endpoint.KeyName
	}
	require.Equal(t, "main", refuse())
	require.Empty(t, table.Rests("", candidates, 1), "another key is left")
	endpoint, err := table.Endpoint(activities.Caller{}, "a", nil)
	require.NoError(t, err)
	require.Equal(t, "spare", endpoint.KeyName, "and is used")
	require.Equal(t, "spare", refuse("main"))
	rests := table.Rests("", candidates, 1)
	require.Len(t, rests, 1)
	require.Equal(t, failover.RestOpen, rests[0].Class)
	endpoint, err = table.Endpoint(activities.Caller{}, "a", []string{"main", "spare"})
	require.NoError(t, err)
	require.NotEmpty(t, endpoint.KeyName, "a call that is made all the same has a key")
	explained, known := table.Explain("a", failover.Ask{}, time.Now())
	require.True(t, known)
	require.Equal(t, 1, explained.First.Candidate, "%v", explained.First)
}
