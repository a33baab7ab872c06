package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/health"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

// strict gives the process a breaker that means it.
func (p *process) strict() { p.routes.health = health.New(health.Config{}) }

// finish records a completion to its end and gives its outcome.
func (p *process) finish(c completions.Completion) completions.Completion {
	p.t.Helper()
	plan, err := p.prepare(c)
	require.NoError(p.t, err)
	in := answered(c, activities.CallResult{})
	switch plan.Decision.Action {
	case failover.ActionCached:
		in.ServedFrom = completions.ServedCache
	case failover.ActionStale:
		in.ServedFrom = completions.ServedStale
	default:
		result, err := local(p, p.acts.CallModel, call(c, plan))
		require.NoError(p.t, err)
		in = answered(c, result)
	}
	_, err = local(p, p.acts.Record, in)
	require.NoError(p.t, err)
	completion, _ := p.find(c.ID)
	return completion
}

func cachePolicy(ttl, stale time.Duration) activities.RoutePolicy {
	return activities.RoutePolicy{Cache: &activities.CachePolicy{TTL: ttl, Stale: stale, ByDefault: true}, Stale: stale > 0}
}

func TestTheSameRequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	p.routes.policy = cachePolicy(time.Hour, 0)
	require.Empty(t, p.finish(p.accept("")).ServedFrom)
	again := p.finish(p.accept(""))
	require.Equal(t, completions.ServedCache, again.ServedFrom)
	require.Equal(t, completions.StateSucceeded, again.State)
	require.Zero(t, again.Attempts)
	outcome, err := p.record.Outcome(t.Context(), tenant, again.ID)
	require.NoError(t, err)
	require.Equal(t, reply, outcome.Answer.Message.Text())
	require.Len(t, p.provider.Calls(), 1)
}

func TestWhatIsNotTheSameIsNotAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	p.routes.policy = cachePolicy(time.Hour, 0)
	p.finish(p.accept(""))
	for name, change := range map[string]func(*llm.Request){
		"another question":    func(r *llm.Request) { r.Messages[0].Parts[0].Text += "?" },
		"another temperature": func(r *llm.Request) { r.Temperature = new(0.5) },
		"another user":        func(r *llm.Request) { r.User = "somebody" },
		"strict":              func(r *llm.Request) { r.Strict = true },
		"wants a new one":     func(r *llm.Request) { r.Routing = &llm.Routing{Cache: &llm.CacheControl{NoRead: true}} },
	} {
		request := question()
		change(&request)
		p.provider.Append(llmtest.Answer(reply))
		require.Empty(t, p.finish(p.take("", "", request)).ServedFrom, name)
	}
	p.provider.Append(llmtest.Answer(reply))
	other := p.accept("")
	other.Tenant = "other"
	_, err := p.pool.Exec(t.Context(), `UPDATE completions SET tenant = 'other' WHERE id = $1`, other.ID)
	require.NoError(t, err)
	plan, err := p.prepare(other)
	require.NoError(t, err)
	require.Equal(t, failover.ActionCall, plan.Decision.Action, "never across tenants")

	same := question()
	same.Metadata, same.Routing = map[string]string{"trace": "1"}, &llm.Routing{Tags: []string{"a"}, Token: "t"}
	require.Equal(t, completions.ServedCache, p.finish(p.take("", "", same)).ServedFrom, "notes, and who asks, are not asked of a model")
}

func TestOnlyWholeAnswersOfWhoAllowsItAreKept(t *testing.T) {
	t.Parallel()
	cut := llmtest.Answer(reply)
	cut.Response.FinishReason = llm.FinishLength
	p := setup(t, cut, llmtest.Answer(reply), llmtest.Answer(reply))
	p.routes.policy = cachePolicy(time.Hour, 0)
	p.finish(p.accept(""))
	closed := question()
	closed.Routing = &llm.Routing{Cache: &llm.CacheControl{NoStore: true}}
	require.Empty(t, p.finish(p.take("", "", closed)).ServedFrom, "what was cut short was not kept")
	require.Empty(t, p.finish(p.accept("")).ServedFrom, "nor what must not be")
	p.routes.policy.Cache.ByDefault = false
	p.provider.Append(llmtest.Answer(reply))
	require.Empty(t, p.finish(p.accept("")).ServedFrom, "nobody asked")
	asks := question()
	asks.Routing = &llm.Routing{Cache: &llm.CacheControl{Use: true}}
	require.Equal(t, completions.ServedCache, p.finish(p.take("", "", asks)).ServedFrom)
	asks.Routing.Cache.MaxAge = time.Nanosecond
	p.provider.Append(llmtest.Answer(reply))
	require.Empty(t, p.finish(p.take("", "", asks)).ServedFrom, "it is too old for this client")
}

func TestAnOldAnswerStandsInWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply), llmtest.Answer(reply))
	p.routes.policy = cachePolicy(time.Nanosecond, time.Hour)
	p.finish(p.accept(""))
	require.Empty(t, p.finish(p.accept("")).ServedFrom, "while a provider answers, what is old is not used")

	p.routes.targets = p.routes.targets[:1]
	p.routes.targets[0].Retries = 0
	p.provider.Append(llmtest.Fail(llm.KindOverloaded))
	c := p.accept("")
	plan, err := p.prepare(c)
	require.NoError(t, err)
	require.True(t, plan.Ladder.Stale)
	_, err = local(p, p.acts.CallModel, call(c, plan))
	failed, _ := failedAttempt(t, err)
	require.Equal(t, failover.ActionStale, failed.Decision.Action)
	in := answered(c, activities.CallResult{})
	in.ServedFrom = completions.ServedStale
	_, err = local(p, p.acts.Record, in)
	require.NoError(t, err)
	completion, attempts := p.find(c.ID)
	require.Equal(t, completions.ServedStale, completion.ServedFrom)
	require.Len(t, attempts, 1)
	require.Equal(t, completions.StateSucceeded, completion.State)

	in.ID = p.accept("").ID
	_, err = p.pool.Exec(t.Context(), `DELETE FROM completion_cache`)
	require.NoError(t, err)
	_, err = local(p, p.acts.Record, in)
	refused(t, err, activities.ErrTypeAnswerLost)
}

func TestWhatRestsIsNotCalledFirst(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.strict()
	p.routes.targets = []failover.Target{target("one", 1), target("two", 2)}
	p.provider.Append(llmtest.Fail(llm.KindQuota))
	_, err := local(p, p.acts.CallModel, p.prepared(p.accept("")))
	failedAttempt(t, err)
	plan, err := p.prepare(p.accept(""))
	require.NoError(t, err)
	require.Equal(t, "two", plan.Plan.Candidates[plan.Decision.Candidate].Deployment)
	require.Contains(t, plan.Decision.Reason, "scripted/one-model rests: one#main is open")
}

func TestACandidateThatRestsByNowIsNotCalled(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.strict()
	c := p.accept("")
	in := p.prepared(c)
	in.Number, in.Decision = 0, failover.Decision{Action: failover.ActionNext, Candidate: 0, Reason: "x"}
	permit, _ := p.routes.health.Admit(callOf("one"), 1, false)
	permit.Done(activities.Outcome{Kind: llm.KindQuota})
	p.provider.Append(llmtest.Answer(reply))
	result, err := remote(p, p.acts.CallModel, in)
	require.NoError(t, err)
	require.Equal(t, "two-model", result.Model, "another that may be called is called at once")

	permit, _ = p.routes.health.Admit(callOf("two"), 1, false)
	permit.Done(activities.Outcome{Kind: llm.KindRateLimit, RetryAfter: time.Minute})
	again := p.accept("")
	later := p.prepared(again)
	later.ID, later.Decision = again.ID, failover.Decision{Action: failover.ActionNext, Candidate: 0, Reason: "x"}
	_, err = remote(p, p.acts.CallModel, later)
	refused(t, err, activities.ErrTypePostponed)
	_, attempts := p.find(again.ID)
	require.Empty(t, attempts, "nobody was called")
}

func TestACallThatIsHeldBackIsAFailureThatSaysSo(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.strict()
	c := p.accept("")
	in := p.prepared(c)
	permit, _ := p.routes.health.Admit(callOf("one"), 1, false)
	permit.Done(activities.Outcome{Kind: llm.KindRateLimit, RetryAfter: time.Minute})
	_, err := local(p, p.acts.CallModel, in)
	failed, _ := failedAttempt(t, err)
	require.Equal(t, "held_back", failed.Error.Code)
	require.Equal(t, llm.KindRateLimit, failed.Error.Kind)
	require.Equal(t, failover.ActionNext, failed.Decision.Action)
	require.Empty(t, p.provider.Calls())
}

func TestAnotherKeyIsTriedAndWritten(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Fail(llm.KindCredential), llmtest.Answer(reply))
	p.routes.keys = []string{"old", "spare"}
	p.routes.targets[0].Keys, p.routes.targets[0].Place = p.routes.keys, "one"
	c := p.accept("")
	in := p.prepared(c)
	_, err := local(p, p.acts.CallModel, in)
	failed, app := failedAttempt(t, err)
	require.Equal(t, failover.ActionRotate, failed.Decision.Action)
	require.True(t, app.NonRetryable(), "the workflow carries it out, so that it is seen")
	in.Number, in.Failures, in.Decision = 0, []failover.Failure{failed.Failure}, failed.Decision
	_, err = remote(p, p.acts.CallModel, in)
	require.NoError(t, err)
	_, attempts := p.find(c.ID)
	require.Equal(t, []string{"old", "spare"}, []string{attempts[0].KeyName, attempts[1].KeyName})
}

func TestTheRecordSaysWhoWouldHaveBeenCalled(t *testing.T) {
	t.Parallel()
	p := setup(t)
	p.routes.targets[1].Ineligible = "no key"
	c := p.accept("")
	p.prepared(c)
	plan, err := p.record.Plan(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, "one", plan.Candidates[0].Deployment)
	require.Equal(t, "no key", plan.Excluded[0].Reason)
}

func TestAConversationStaysWithWhoAnsweredLast(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	p.routes.policy.Sticky = true
	conversation := p.conversation()
	_, err := p.pool.Exec(t.Context(), `UPDATE conversation_items SET provider = 'scripted', model = 'two-model' WHERE conversation_id = $1 AND seq = 2`, conversation)
	require.NoError(t, err)
	plan, err := p.prepare(p.accept(conversation))
	require.NoError(t, err)
	require.Equal(t, "two", plan.Plan.Candidates[0].Deployment)
	require.Equal(t, "gave the conversation's last answer", plan.Plan.Candidates[0].Reason)
}

func TestWhatARequestRulesOutItDoesNotGetFromTheCache(t *testing.T) {
	t.Parallel()
	p := setup(t, llmtest.Answer(reply))
	p.routes.policy = cachePolicy(time.Hour, 0)
	p.finish(p.accept(""))
	for _, routing := range []llm.Routing{{Ignore: []string{"scripted"}}, {ZeroDataRetention: true}, {MaxInputPrice: new(int64)}} {
		request := question()
		request.Routing = &routing
		plan, err := p.prepare(p.take("", "", request))
		require.NoError(t, err)
		require.NotEqual(t, failover.ActionCached, plan.Decision.Action)
	}
}
