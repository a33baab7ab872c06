package routing

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/tokens"
)

// countTime bounds a vendor's counting: a client that asks how long a prompt is does not wait long.
const countTime = 5 * time.Second

// CountTokens says how many tokens a request has for the first target that it would be sent to: by that vendor's own count where it
// has one, else by OpenAI's tokenizer, exact for its models and for others short by a quarter at most.
func (t *Table) CountTokens(ctx context.Context, tenant string, request llm.Request) (int64, error) {
	estimate := tokens.Exact(request)
	ask := failover.AskOf(tenant, request, estimate.About, estimate.AtLeast)
	plan := failover.Rank(ask.Filter(t.Targets(ask.Tenant, request.Model, nil, false)), failover.Preference{}, func() float64 { return 0.5 })
	if len(plan.Candidates) == 0 {
		return estimate.About, nil
	}
	endpoint, err := t.Endpoint(activities.Caller{Tenant: ask.Tenant}, plan.Candidates[0].Deployment, nil)
	if err != nil {
		return estimate.About, nil
	}
	counter, ok := endpoint.Provider.(llm.Counter)
	if !ok {
		return estimate.About, nil
	}
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	request.Model = endpoint.Model
	count, err := counter.CountTokens(ctx, endpoint.Key, request)
	if failure, isOurs := errors.AsType[*llm.Error](err); isOurs && failure.Kind == llm.KindUnsupported {
		return estimate.About, nil
	}
	return count, err
}
