package activities_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/llm/llmtest"
)

// desk is a board, a teller, and who can be probed, all in memory.
type desk struct {
	mu        sync.Mutex
	endpoints []activities.Endpoint
	standing  map[failover.Domain]failover.Health
	probes    []activities.Probe
	told      []failover.Domain
}

func (d *desk) Publish(_ context.Context, domain failover.Domain, next failover.Health) (failover.Health, error) {
	d.standing[domain] = next
	return next, nil
}

func (d *desk) Standing(_ context.Context, domain failover.Domain) (failover.Health, error) {
	return d.standing[domain], nil
}

func (d *desk) KeepProbe(_ context.Context, probe activities.Probe) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.probes = append(d.probes, probe)
	return nil
}

func (d *desk) LastProbes(_ context.Context, domain failover.Domain, method failover.ProbeMethod, limit int) (kinds []llm.Kind, _ error) {
	for i := len(d.probes) - 1; i >= 0 && len(kinds) < limit; i-- {
		if d.probes[i].Domain == domain && d.probes[i].Method == method {
			kind := llm.Kind("")
			if d.probes[i].Error != nil {
				kind = d.probes[i].Error.Kind
			}
			kinds = append(kinds, kind)
		}
	}
	return kinds, nil
}

func (d *desk) Tell(_ context.Context, domain failover.Domain, _ failover.Health, _ failover.BreakerPolicy) error {
	d.told = append(d.told, domain)
	return nil
}

func (d *desk) Endpoints() []activities.Endpoint { return d.endpoints }

func (d *desk) Within(domain failover.Domain) (activities.Endpoint, bool) {
	for _, endpoint := range d.endpoints {
		for _, of := range endpoint.Call.Domains() {
			if of == domain {
				return endpoint, true
			}
		}
	}
	return activities.Endpoint{}, false
}

// probed is a provider that can be probed at no cost; what its probes find is set by the test.
type probed struct {
	*llmtest.Scripted
	finds error
	asked int
}

func (p *probed) Probe(context.Context, llm.Secret, string) error {
	p.asked++
	return p.finds
}

func operating(t *testing.T, provider llm.Provider) (*desk, *activities.Operations, *testsuite.TestActivityEnvironment) {
	t.Helper()
	d := &desk{standing: map[failover.Domain]failover.Health{}, endpoints: []activities.Endpoint{{
		Call: failover.Call{Deployment: "one", Place: "openai", Model: "gpt", Key: "main", Mark: "m"}, Provider: provider, Model: "gpt", KeyName: "main",
	}}}
	ops, err := activities.NewOperations(activities.OperationsConfig{
		Board: d, Probed: d, Teller: d, Policy: failover.DefaultBreaker(), Successes: 2, Name: "probe",
	})
	require.NoError(t, err)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(ops)
	return d, ops, env
}

func TestADomainIsTriedByAFewWords(t *testing.T) {
	t.Parallel()
	provider := llmtest.NewScripted(llmtest.Answer("pong"), llmtest.Fail(llm.KindOverloaded), llmtest.Step{Err: &llm.Error{Kind: llm.KindBadOutput, Detail: llm.EmptyAnswer}})
	d, ops, env := operating(t, provider)
	probe := func() activities.ProbeResult {
		value, err := env.ExecuteActivity(ops.ProbeDomain, activities.ProbeInput{Domain: "openai/gpt", Method: failover.ProbeGeneration})
		require.NoError(t, err)
		var result activities.ProbeResult
		require.NoError(t, value.Get(&result))
		return result
	}
	require.Empty(t, probe().Kind)
	require.Equal(t, llm.KindOverloaded, probe().Kind, "that it does not answer is what was asked")
	require.Empty(t, probe().Kind, "thoughts may have taken the few words")
	require.LessOrEqual(t, *provider.Calls()[0].Request.MaxOutputTokens, int64(16))
	require.EqualValues(t, 10, d.probes[0].Usage.InputTokens, "its cost is written down")
	_, err := env.ExecuteActivity(ops.ProbeDomain, activities.ProbeInput{Domain: "gone", Method: failover.ProbeFree})
	refused(t, err, activities.ErrTypeGone)
}

func TestAFreeProbeIsAskedForWhereThereIsOne(t *testing.T) {
	t.Parallel()
	provider := &probed{Scripted: llmtest.NewScripted(llmtest.Answer("pong"))}
	d, ops, env := operating(t, provider)
	in := activities.ProbeInput{Domain: "openai#main", Method: failover.ProbeFree}
	_, err := env.ExecuteActivity(ops.ProbeDomain, in)
	require.NoError(t, err)
	require.Equal(t, 1, provider.asked)
	provider.finds = &llm.Error{Kind: llm.KindUnsupported}
	_, err = env.ExecuteActivity(ops.ProbeDomain, in)
	require.NoError(t, err)
	require.Equal(t, failover.ProbeGeneration, d.probes[1].Method, "a vendor without one is asked for a word")
}

func TestScheduledProbesOpenWhatFailsSeveralTimes(t *testing.T) {
	t.Parallel()
	provider := &probed{Scripted: llmtest.NewScripted()}
	d, ops, env := operating(t, provider)
	round := func() {
		_, err := env.ExecuteActivity(ops.ProbeAll)
		require.NoError(t, err)
	}
	round()
	provider.finds = &llm.Error{Kind: llm.KindTransient, Provider: "openai"}
	round()
	require.Empty(t, d.standing, "once is not enough")
	round()
	require.Equal(t, failover.BreakerOpen, d.standing["openai"].State)
	require.Equal(t, failover.CauseProbe, d.standing["openai"].Cause)
	require.Equal(t, []failover.Domain{"openai"}, d.told, "its workflow tries it from now on")

	provider.finds = &llm.Error{Kind: llm.KindCredential, Provider: "openai"}
	round()
	require.Equal(t, failover.BreakerOpen, d.standing["openai#main"].State, "a refused key at once")
	require.Equal(t, "m", d.standing["openai#main"].Mark)
	asked := provider.asked
	round()
	require.Equal(t, asked, provider.asked, "what is open is tried by its workflow")
	require.Empty(t, provider.Calls(), "nothing of it costs anything")
	require.WithinDuration(t, time.Now().Add(30*time.Second), d.standing["openai#main"].Until, 10*time.Second)
}
