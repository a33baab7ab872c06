package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// desk is what an operator's words come to.
type desk struct {
	domains []api.ProviderDomain
	err     error
	put     map[failover.Domain]failover.Health
}

func (d *desk) Domains() []api.ProviderDomain { return d.domains }

func (d *desk) Put(_ context.Context, domain failover.Domain, next failover.Health) error {
	d.put[domain] = next
	return d.err
}

// explainer answers with what it was asked.
type explainer struct {
	ask   failover.Ask
	found failover.Explained
}

func (e *explainer) Explain(route string, ask failover.Ask, _ time.Time) (failover.Explained, bool) {
	e.ask = ask
	return e.found, route == "demo"
}

// kept is a cache.
type kept struct {
	since   time.Time
	cleared string
}

func (k *kept) CacheUses(_ context.Context, since time.Time) ([]store.CacheUse, error) {
	k.since = since
	return []store.CacheUse{{Tenant: "a", Route: "demo", Answered: 4, Hits: 2, Stale: 1}}, nil
}

func (k *kept) ClearCache(_ context.Context, route string) (int64, error) {
	k.cleared = route
	return 7, nil
}

// operators is the admin API over fakes.
type operators struct {
	handler http.Handler
	token   string
	desk    *desk
	routes  *explainer
	cache   *kept
}

func admin(t *testing.T) *operators {
	t.Helper()
	token, err := access.LoadAdminToken(filepath.Join(t.TempDir(), "admin.token"))
	require.NoError(t, err)
	o := &operators{token: token.Secret().Reveal(), desk: &desk{put: map[failover.Domain]failover.Health{}}, routes: &explainer{}, cache: &kept{}}
	o.handler = api.NewAdmin(api.AdminConfig{
		Token: token, Routes: o.routes, Providers: o.desk, Cache: o.cache, Logger: slog.New(slog.DiscardHandler),
	})
	return o
}

func (o *operators) do(t *testing.T, method, path, body string) (int, map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+o.token)
	recorder := httptest.NewRecorder()
	o.handler.ServeHTTP(recorder, request)
	content, err := io.ReadAll(recorder.Result().Body)
	require.NoError(t, err)
	var object map[string]any
	require.NoError(t, json.Unmarshal(content, &object), "%s", content)
	return recorder.Code, object
}

func (o *operators) knows(names ...failover.Domain) {
	for _, name := range names {
		o.desk.domains = append(o.desk.domains, api.ProviderDomain{Domain: name})
	}
}

func TestOperatorsSeeEveryDomainAndTheSickFirst(t *testing.T) {
	t.Parallel()
	o := admin(t)
	calls, used, at := 2, 0.25, time.Unix(1_800_000_000, 0).UTC()
	o.desk.domains = []api.ProviderDomain{
		{Domain: "anthropic", InFlight: &calls},
		{Domain: "openai", Health: failover.Health{State: failover.BreakerClosed, Held: true, Since: at, By: "ann", Reason: "watching"}},
		{Domain: "openai#main/gpt-4.1", LimitUsed: &used, Health: failover.Health{
			State: failover.BreakerOpen, Since: at, Until: at.Add(time.Minute), Cause: failover.Cause(llm.KindRateLimit), Reason: "slow down", By: "p-1", Streak: 1,
		}},
	}
	status, object := o.do(t, http.MethodGet, "/admin/providers", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []any{
		map[string]any{"domain": "openai", "state": "closed", "since": "2027-01-15T08:00:00Z", "held": true, "by": "ann", "reason": "watching", "streak": 0.0},
		map[string]any{
			"domain": "openai#main/gpt-4.1", "state": "open", "since": "2027-01-15T08:00:00Z", "until": "2027-01-15T08:01:00Z", "cause": "rate_limit",
			"reason": "slow down", "by": "p-1", "held": false, "streak": 1.0, "limit_used": 0.25,
		},
		map[string]any{"domain": "anthropic", "state": "closed", "held": false, "streak": 0.0, "in_flight": 2.0},
	}, object["data"])
}

func TestAnOperatorsWordIsWritten(t *testing.T) {
	t.Parallel()
	o := admin(t)
	o.knows("openai")
	began := time.Now().Add(-time.Second)

	status, object := o.do(t, http.MethodPost, "/admin/providers/open", `{"domain":"openai","reason":"maintenance","by":"ann","for":"90m"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "open", object["state"])
	said := o.desk.put["openai"]
	require.True(t, said.Since.After(began))
	require.Equal(t, failover.Opened(said.Since, 90*time.Minute, "ann", "maintenance"), said)

	_, object = o.do(t, http.MethodPost, "/admin/providers/open", `{"domain":"openai","reason":"incident"}`)
	require.NotContains(t, object, "until")
	require.Equal(t, "operator", object["by"])

	o.desk.domains[0].Health = o.desk.put["openai"]
	_, object = o.do(t, http.MethodPost, "/admin/providers/close", `{"domain":"openai","reason":"works","by":"ann"}`)
	require.Equal(t, "closed", object["state"])
	require.Equal(t, false, object["held"])

	o.desk.domains[0].Health = failover.Health{State: failover.BreakerOpen, Since: began, Until: began.Add(time.Hour), Cause: failover.CauseErrorRate}
	_, object = o.do(t, http.MethodPost, "/admin/providers/hold", `{"domain":"openai","reason":"leave it"}`)
	require.Equal(t, []any{"open", true, "error_rate"}, []any{object["state"], object["held"], object["cause"]})
	require.NotContains(t, object, "until")
}

func TestAnOperatorsWordMustBeWhole(t *testing.T) {
	t.Parallel()
	o := admin(t)
	o.knows("openai")
	for name, c := range map[string]struct{ verb, body, param string }{
		"no reason":          {"open", `{"domain":"openai"}`, "reason"},
		"blank reason":       {"close", `{"domain":"openai","reason":"  "}`, "reason"},
		"a whole story":      {"hold", `{"domain":"openai","reason":"` + strings.Repeat("x", 501) + `"}`, "reason"},
		"a long name":        {"hold", `{"domain":"openai","reason":"x","by":"` + strings.Repeat("x", 101) + `"}`, "by"},
		"no time":            {"open", `{"domain":"openai","reason":"x","for":"soon"}`, "for"},
		"a time gone by":     {"open", `{"domain":"openai","reason":"x","for":"-1h"}`, "for"},
		"closed for a while": {"close", `{"domain":"openai","reason":"x","for":"1h"}`, "for"},
	} {
		status, object := o.do(t, http.MethodPost, "/admin/providers/"+c.verb, c.body)
		require.Equal(t, http.StatusBadRequest, status, name)
		failure, _ := object["error"].(map[string]any)
		require.Equal(t, c.param, failure["param"], name)
	}
	o.desk.err = errors.New("no")
	status, _ := o.do(t, http.MethodPost, "/admin/providers/open", `{"domain":"openai","reason":"x"}`)
	require.Equal(t, http.StatusInternalServerError, status)
}

func TestADomainThatNobodyBelongsToIsAnsweredWithItsNeighbours(t *testing.T) {
	t.Parallel()
	o := admin(t)
	o.knows("anthropic", "anthropic#main", "openai", "openai#main", "openai/gpt-4.1")
	for name, want := range map[string]string{
		"openai/gpt-5": "There is openai, openai#main, openai/gpt-4.1.",
		"gpt-4.1":      "There is openai/gpt-4.1.",
		"mistral":      "There is anthropic, openai.",
		"":             "There is anthropic, openai.",
	} {
		status, object := o.do(t, http.MethodPost, "/admin/providers/close", `{"domain":"`+name+`","reason":"x"}`)
		require.Equal(t, http.StatusNotFound, status)
		failure, _ := object["error"].(map[string]any)
		require.Equal(t, "No deployment belongs to '"+name+"'. "+want, failure["message"])
	}
	require.Empty(t, o.desk.put)
}

func TestARouteIsExplainedForTheRequestThatIsDescribed(t *testing.T) {
	t.Parallel()
	o := admin(t)
	until := time.Unix(1_800_000_000, 0).UTC()
	o.routes.found = failover.Explained{
		Plan:    failover.Plan{Candidates: []failover.Candidate{{Deployment: "d1", Provider: "openai", Model: "gpt-4.1", Timeout: time.Second, Reason: "first"}, {Deployment: "d2", Provider: "gemini", Model: "g", Reason: "next"}}},
		Resting: []failover.Rest{{Deployment: "d1", Until: until, Reason: "openai is open", Class: failover.RestOpen}},
		First:   failover.Decision{Action: failover.ActionCall, Candidate: 1, Delay: 1500 * time.Millisecond, Reason: "next; openai rests"},
	}
	status, object := o.do(t, http.MethodGet, "/admin/route?model=demo&tenant=a&token=tok_1&tags=eu,paid&tools=true&vision=true&json_schema=true"+
		"&tokens=900&order=Google%20AI%20Studio&only=openai,gemini&ignore=xai&sort=price", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, failover.Ask{
		Tenant: "a", Abilities: []string{"function_calling", "response_schema", "vision"}, InputTokens: 900, Bound: 900,
		Routing: llm.Routing{
			Token: "tok_1", Tags: []string{"eu", "paid"}, Order: []string{"gemini"}, Only: []string{"openai", "gemini"}, Ignore: []string{"xai"}, Sort: llm.SortPrice,
		},
	}, o.routes.ask)
	require.Equal(t, map[string]any{"action": "call", "deployment": "d2", "delay_ms": 1500.0, "reason": "next; openai rests"}, object["first"])
	require.Equal(t, []any{map[string]any{"deployment": "d1", "until": "2027-01-15T08:00:00Z", "reason": "openai is open", "class": "open"}}, object["resting"])
	require.Len(t, object["candidates"], 2)
	require.Equal(t, []any{}, object["excluded"])

	o.routes.found = failover.Explained{First: failover.Decision{Action: failover.ActionGiveUp, Candidate: -1, Reason: "no eligible candidate"}}
	status, object = o.do(t, http.MethodGet, "/admin/route?model=demo", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]any{"action": "give_up", "reason": "no eligible candidate"}, object["first"])
	require.Empty(t, o.routes.ask.Routing.Only)
	for path, want := range map[string]int{"?model=none": 404, "?model=demo&sort=beauty": 400, "?model=demo&tokens=many": 400} {
		status, _ = o.do(t, http.MethodGet, "/admin/route"+path, "")
		require.Equal(t, want, status, path)
	}
}

func TestOperatorsSeeTheCacheAndClearIt(t *testing.T) {
	t.Parallel()
	o := admin(t)
	_, object := o.do(t, http.MethodGet, "/admin/cache", "")
	require.WithinDuration(t, time.Now().Add(-24*time.Hour), o.cache.since, time.Minute)
	require.Equal(t, []any{map[string]any{"tenant": "a", "route": "demo", "answered": 4.0, "hits": 2.0, "stale": 1.0}}, object["data"])
	o.do(t, http.MethodGet, "/admin/cache?since=1h", "")
	require.WithinDuration(t, time.Now().Add(-time.Hour), o.cache.since, time.Minute)
	o.do(t, http.MethodGet, "/admin/cache?since=2026-01-31T12:00:00Z", "")
	require.Equal(t, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), o.cache.since)
	status, _ := o.do(t, http.MethodGet, "/admin/cache?since=yesterday", "")
	require.Equal(t, http.StatusBadRequest, status)
	status, object = o.do(t, http.MethodDelete, "/admin/cache?route=demo", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]any{"route": "demo", "cleared": 7.0}, object)
	require.Equal(t, "demo", o.cache.cleared)
}

func TestTheAdminAPIAsksForItsToken(t *testing.T) {
	t.Parallel()
	o := admin(t)
	o.token = "wrong"
	for _, path := range []string{"/admin/providers", "/admin/cache", "/admin/route?model=demo"} {
		status, _ := o.do(t, http.MethodGet, path, "")
		require.Equal(t, http.StatusUnauthorized, status, path)
	}
}
