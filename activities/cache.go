package activities

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// cacheKey says which requests are the same: those of one tenant and route that ask for the same. What a request says of its
// own routing, of its notes and of who asks is not asked of a model, but for the end user's name, which a vendor is sent.
func cacheKey(tenant, route string, request llm.Request) ([]byte, error) {
	request.Model, request.Metadata, request.Routing, request.Plain = "", nil, nil, false
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encoding a request for the cache: %w", err)
	}
	hash := sha256.New()
	for _, part := range []string{tenant, route, string(body)} {
		_, _ = fmt.Fprintf(hash, "%d:%s", len(part), part) // lengths keep the parts apart
	}
	return hash.Sum(nil), nil
}

// control is what the request says of the cache.
func control(request llm.Request) llm.CacheControl {
	if request.Routing == nil || request.Routing.Cache == nil {
		return llm.CacheControl{}
	}
	return *request.Routing.Cache
}

// caches says whether the request uses the route's cache. A conversation's turns are never the same request.
func caches(policy RoutePolicy, request llm.Request, conversation string) bool {
	return policy.Cache != nil && conversation == "" && (policy.Cache.ByDefault || control(request).Use)
}

// cached looks for an answer that was kept. A cache that cannot be read is none.
func (a *Activities) cached(ctx context.Context, in PrepareInput, policy RoutePolicy, request llm.Request) completions.Cached {
	say := control(request)
	if !caches(policy, request, in.ConversationID) || say.NoRead {
		return completions.Cached{}
	}
	key, err := cacheKey(in.Tenant, policy.Route, request)
	if err != nil {
		return completions.Cached{}
	}
	cached, err := a.cfg.Store.CachedAnswer(ctx, key)
	if err != nil {
		a.cfg.Logger.WarnContext(ctx, "the cache could not be read", "completion", in.ID, "error", err)
		return completions.Cached{}
	}
	if cached.Answer != nil && say.MaxAge > 0 && a.cfg.Now().Sub(cached.StoredAt) > say.MaxAge {
		cached.Fresh = false
	}
	return cached
}

// allowed says whether who gave a kept answer may be called for the request: what a request rules out it does not get from a cache.
func allowed(cached completions.Cached, plan failover.Plan) bool {
	return slices.ContainsFunc(plan.Candidates, func(candidate failover.Candidate) bool {
		return candidate.Provider == cached.Provider && candidate.Model == cached.Model
	})
}

// keep says how the answer is to be kept; nil if it is not. What was cut short is not worth it.
func (a *Activities) keep(in RecordInput, request llm.Request, answer llm.Response) *completions.Keep {
	policy := a.cfg.Router.Policy(in.Route)
	say := control(request)
	whole := answer.FinishReason == llm.FinishStop || answer.FinishReason == llm.FinishToolCalls || len(answer.Vectors) > 0
	if !caches(policy, request, in.ConversationID) || say.NoStore || in.ServedFrom != "" || !whole {
		return nil
	}
	key, err := cacheKey(in.Tenant, policy.Route, request)
	if err != nil {
		return nil
	}
	fresh := policy.Cache.TTL
	if say.TTL > 0 {
		fresh = say.TTL
	}
	return &completions.Keep{Key: key, Tenant: in.Tenant, Route: policy.Route, Fresh: fresh, Stale: policy.Cache.Stale}
}
