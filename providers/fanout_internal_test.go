package providers

import (
	"context"
	"iter"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
)

// soloist gives one answer a call, which names its seed.
type soloist struct {
	mu    sync.Mutex
	calls int
	fails int64 // the seed at which it fails
	limit *llm.RateLimit
}

func (s *soloist) Complete(_ context.Context, _ llm.Secret, req llm.Request) (llm.Response, error) {
	if req.N != nil && *req.N > 1 {
		return llm.Response{}, &llm.Error{Kind: llm.KindUnsupported, Param: "n"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.fails != 0 && *req.Seed == s.fails {
		return llm.Response{}, &llm.Error{Kind: llm.KindOverloaded}
	}
	return llm.Response{
		Model: "m", RateLimit: s.limit, FinishReason: llm.FinishStop, Usage: llm.Usage{InputTokens: 3, OutputTokens: 1},
		Message: llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text(string(rune('a' + *req.Seed)))}},
	}, nil
}

func (s *soloist) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	response, err := s.Complete(ctx, key, req)
	if err != nil {
		return llm.Failed(err)
	}
	return llm.Events(response)
}

func wanted(n, seed int64) llm.Request { return llm.Request{N: &n, Seed: &seed} }

func TestSeveralAnswersAreSeveralCalls(t *testing.T) {
	t.Parallel()
	s := &soloist{}
	whole, err := fannedOut(s).Complete(t.Context(), "", wanted(3, 0))
	require.NoError(t, err)
	require.Equal(t, "a", whole.Message.Text())
	require.Len(t, whole.Alternatives, 2)
	require.Equal(t, "c", whole.Alternatives[1].Message.Text(), "equal seeds would give equal answers")
	require.Equal(t, llm.Usage{InputTokens: 9, OutputTokens: 3}, whole.Usage)
	require.Equal(t, 3, s.calls)

	streamed, err := llm.Collect(fannedOut(&soloist{}).Stream(t.Context(), "", wanted(3, 0)))
	require.NoError(t, err)
	require.Equal(t, whole, streamed)
}

func TestOneAnswerIsOneCall(t *testing.T) {
	t.Parallel()
	s := &soloist{}
	_, err := fannedOut(s).Complete(t.Context(), "", wanted(1, 0))
	require.NoError(t, err)
	_, err = llm.Collect(fannedOut(s).Stream(t.Context(), "", wanted(1, 0)))
	require.NoError(t, err)
	require.Equal(t, 2, s.calls)
}

func TestIfOneCallFailsSoDoesTheWhole(t *testing.T) {
	t.Parallel()
	_, err := fannedOut(&soloist{fails: 1}).Complete(t.Context(), "", wanted(3, 0))
	require.Equal(t, llm.KindOverloaded, llm.KindOf(err))
	_, err = llm.Collect(fannedOut(&soloist{fails: 1}).Stream(t.Context(), "", wanted(3, 0)))
	require.Equal(t, llm.KindOverloaded, llm.KindOf(err))
}

func TestLeavingAStreamOfSeveralLeavesNoCallBehind(t *testing.T) {
	t.Parallel()
	for _, err := range fannedOut(&soloist{}).Stream(t.Context(), "", wanted(8, 0)) {
		require.NoError(t, err)
		break
	}
}

// probing is a soloist that can be probed.
type probing struct {
	soloist
	asked string
}

func (p *probing) Probe(_ context.Context, _ llm.Secret, model string) error {
	p.asked = model
	return &llm.Error{Kind: llm.KindOverloaded}
}

// embedding is one that makes embeddings too.
type embedding struct{ probing }

func (*embedding) Embed(context.Context, llm.Secret, llm.Request) (llm.Response, error) {
	return llm.Response{}, nil
}

func TestAProbeReachesTheAdapter(t *testing.T) {
	t.Parallel()
	one, two := &probing{}, &embedding{}
	for provider, asked := range map[llm.Provider]*string{one: &one.asked, two: &two.asked} {
		prober, ok := fannedOut(provider).(llm.Prober)
		require.True(t, ok)
		require.Equal(t, llm.KindOverloaded, llm.KindOf(prober.Probe(t.Context(), "", "m")))
		require.Equal(t, "m", *asked)
	}
	prober, ok := fannedOut(&soloist{}).(llm.Prober)
	require.True(t, ok)
	require.Equal(t, llm.KindUnsupported, llm.KindOf(prober.Probe(t.Context(), "", "m")))
}

func TestSeveralAnswersKeepTheLastLimits(t *testing.T) {
	t.Parallel()
	var limit latestLimit
	last := &llm.RateLimit{Requests: &llm.Allowance{Remaining: 1}}
	limit.set(&llm.RateLimit{Requests: &llm.Allowance{Remaining: 2}})
	limit.set(last)
	limit.set(nil)
	require.Same(t, last, limit.told)

	whole, err := fannedOut(&soloist{limit: last}).Complete(t.Context(), "", wanted(3, 0))
	require.NoError(t, err)
	require.Same(t, last, whole.RateLimit)
}

// counting is an adapter whose vendor counts tokens.
type counting struct{ soloist }

func (*counting) CountTokens(_ context.Context, _ llm.Secret, req llm.Request) (int64, error) {
	return int64(len(req.Model)), nil
}

func TestACountOfTokensReachesTheAdapter(t *testing.T) {
	t.Parallel()
	counter, ok := fannedOut(&counting{}).(llm.Counter)
	require.True(t, ok)
	n, err := counter.CountTokens(t.Context(), "", llm.Request{Model: "model"})
	require.NoError(t, err)
	require.EqualValues(t, 5, n)
	counter, ok = fannedOut(&soloist{}).(llm.Counter)
	require.True(t, ok)
	_, err = counter.CountTokens(t.Context(), "", llm.Request{})
	require.Equal(t, llm.KindUnsupported, llm.KindOf(err))
}
