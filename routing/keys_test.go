package routing_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/keys"
)

const sharing = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4.1}, model_info: {id: a}}]"

func TestKeysShareCallsByTheirWeights(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("openai", keys.Key{Name: "spare"}, keys.Key{Name: "one", Weight: 1}, keys.Key{Name: "three", Weight: 3})
	routes := table(t, v, sharing)
	count := map[string]int{}
	first := map[string]string{}
	for n := range 4000 {
		caller := activities.Caller{Affinity: fmt.Sprint("conversation-", n)}
		for range 2 {
			endpoint, err := routes.Endpoint(caller, "a", nil)
			require.NoError(t, err)
			if before := first[caller.Affinity]; before != "" {
				require.Equal(t, before, endpoint.KeyName, "a conversation changes its key")
			}
			first[caller.Affinity] = endpoint.KeyName
		}
		count[first[caller.Affinity]]++
	}
	require.InDelta(t, 1000, count["one"], 150, "%v", count)
	require.InDelta(t, 3000, count["three"], 150, "%v", count)
	endpoint, err := routes.Endpoint(activities.Caller{}, "a", []string{"one", "three"})
	require.NoError(t, err)
	require.Equal(t, "spare", endpoint.KeyName, "who has no weight stands in")
}

func TestAKeyServesItsTenants(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("openai", keys.Key{Name: "own", Tenants: []string{"acme"}})
	routes := table(t, v, sharing)
	require.Empty(t, routes.Targets("acme", "a", nil, false)[0].Ineligible)
	require.Equal(t, `no key for openai in the vault serves tenant "other"`, routes.Targets("other", "a", nil, false)[0].Ineligible)
	_, err := routes.Endpoint(activities.Caller{Tenant: "other"}, "a", nil)
	require.Error(t, err)
	v.set("openai", keys.Key{Name: "own", Tenants: []string{"acme"}}, keys.Key{Name: "all"})
	endpoint, err := routes.Endpoint(activities.Caller{Tenant: "other"}, "a", nil)
	require.NoError(t, err)
	require.Equal(t, "all", endpoint.KeyName)
	endpoint, err = routes.Endpoint(activities.Caller{Tenant: "acme"}, "a", nil)
	require.NoError(t, err)
	require.Equal(t, "own", endpoint.KeyName)
}

func TestKeysOfOneAccountShareItsDomain(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("openai", keys.Key{Name: "one", Account: "acme"}, keys.Key{Name: "two", Account: "acme"})
	routes := table(t, v, sharing)
	var domains []string
	for _, avoid := range [][]string{nil, {"one"}} {
		endpoint, err := routes.Endpoint(activities.Caller{}, "a", avoid)
		require.NoError(t, err)
		domains = append(domains, string(endpoint.Call.Domain("key")))
	}
	require.Equal(t, []string{"openai#acme", "openai#acme"}, domains)
}

// An address of one's own may be called without a key where there is none, and not because the keys there are are for others.
func TestAKeyForOthersIsNoReasonToCallWithoutOne(t *testing.T) {
	t.Parallel()
	v := &vault{}
	v.set("openai", keys.Key{Name: "own", Tenants: []string{"acme"}})
	routes := table(t, v, `model_list: [{model_name: a, litellm_params: {model: openai/gpt-4.1, api_base: "http://127.0.0.1:9/v1"}, model_info: {id: a}}]`)
	require.NotEmpty(t, routes.Targets("other", "a", nil, false)[0].Ineligible)
	_, err := routes.Endpoint(activities.Caller{Tenant: "other"}, "a", nil)
	require.Error(t, err)
	v.set("openai")
	require.Empty(t, routes.Targets("other", "a", nil, false)[0].Ineligible)
}
