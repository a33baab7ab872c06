package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

func why(ask failover.Ask, target failover.Target) string {
	return ask.Filter([]failover.Target{target})[0].Ineligible
}

func TestWhoCannotOrMustNotServeARequestIsPassedOver(t *testing.T) {
	t.Parallel()
	image := llm.Request{Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{{Type: llm.PartImage}}}}}
	tools := llm.Request{Tools: []llm.Tool{{Name: "f"}}}
	schema := llm.Request{ResponseFormat: &llm.ResponseFormat{Type: llm.FormatJSONSchema}}
	blind := failover.Target{Provider: "openai", Facts: failover.Facts{
		Supports: map[string]bool{"vision": false, "function_calling": false, "response_schema": false}, Mode: "chat",
		InputPrice: new(int64(3_000_000)), OutputPrice: new(int64(15_000_000)),
	}}
	routed := func(routing llm.Routing) failover.Ask {
		return failover.AskOf("acme", llm.Request{Routing: &routing}, 1000, 500)
	}
	for _, c := range []struct {
		ask    failover.Ask
		target failover.Target
		reason string
	}{
		{failover.AskOf("acme", image, 1, 1), blind, "it has no vision, which the request needs"},
		{failover.AskOf("acme", tools, 1, 1), blind, "it has no function calling, which the request needs"},
		{failover.AskOf("acme", schema, 1, 1), blind, "it has no response schema, which the request needs"},
		{failover.AskOf("acme", image, 1, 1), failover.Target{}, ""},
		{failover.AskOf("acme", llm.Request{Embed: &llm.Embed{}}, 1, 1), blind, "it makes no embeddings"},
		{failover.AskOf("acme", llm.Request{}, 1, 1), failover.Target{Facts: failover.Facts{Mode: "embedding"}}, "it makes embeddings only"},
		{failover.AskOf("acme", llm.Request{}, 900, 600), failover.Target{Facts: failover.Facts{ContextTokens: 500}}, "the prompt does not fit: at least 600 tokens, it takes 500"},
		{failover.AskOf("acme", llm.Request{}, 900, 400), failover.Target{Facts: failover.Facts{ContextTokens: 500}}, ""}, // it may fit, and nobody else is there
		{routed(llm.Routing{Only: []string{"gemini"}}), blind, "the request allows only gemini"},
		{routed(llm.Routing{Ignore: []string{"openai"}}), blind, "the request does not want openai"},
		{routed(llm.Routing{ZeroDataRetention: true}), blind, "the request asks for zero data retention, which is not declared of it"},
		{routed(llm.Routing{NoDataCollection: true}), blind, "the request allows no data collection, and it is not declared to do without"},
		{routed(llm.Routing{NoDataCollection: true}), failover.Target{Facts: failover.Facts{DataCollection: "deny"}}, ""},
		{routed(llm.Routing{MaxInputPrice: new(int64(2_500_000))}), blind, "the request allows $2.5 for a million prompt tokens, its price is $3"},
		{routed(llm.Routing{MaxOutputPrice: new(int64(15_000_000))}), blind, ""},
		{routed(llm.Routing{MaxInputPrice: new(int64(1))}), failover.Target{}, "the request bounds the price, and its price is not known"},
		{routed(llm.Routing{}), failover.Target{Conditions: failover.Conditions{Tenants: []string{"other"}}}, "it does not serve this tenant"},
		{routed(llm.Routing{Token: "t1"}), failover.Target{Conditions: failover.Conditions{Tokens: []string{"t2"}}}, "it does not serve this API token"},
		{routed(llm.Routing{}), failover.Target{Conditions: failover.Conditions{MinInputTokens: 2000}}, "it serves prompts from 2000 tokens, this one has about 1000"},
		{routed(llm.Routing{}), failover.Target{Conditions: failover.Conditions{MaxInputTokens: 999}}, "it serves prompts up to 999 tokens, this one has about 1000"},
		{routed(llm.Routing{}), failover.Target{Conditions: failover.Conditions{Metadata: map[string]string{"tier": "gold"}}}, "it serves requests whose metadata say tier: gold"},
	} {
		require.Equal(t, c.reason, why(c.ask, c.target))
	}
}

func TestTagsChooseAsLiteLLMsDo(t *testing.T) {
	t.Parallel()
	target := func(all bool, tags ...string) failover.Target {
		return failover.Target{Conditions: failover.Conditions{Tags: tags, TagFiltering: true, TagsMatchAll: all}}
	}
	tagged := func(tags ...string) failover.Ask { return failover.Ask{Routing: llm.Routing{Tags: tags}} }
	require.Empty(t, why(tagged("a"), target(false, "a", "b")))
	require.NotEmpty(t, why(tagged("a", "c"), target(true, "a", "b")))
	require.Empty(t, why(tagged("a", "c"), target(false, "a", "b")))
	require.NotEmpty(t, why(tagged("c"), target(false, "a", "b")))
	require.NotEmpty(t, why(tagged("a"), target(false)), "one that carries none serves none that asks for some")
	require.Empty(t, why(tagged(), target(false)))
	require.Empty(t, why(tagged(), target(false, "default")))
	require.NotEmpty(t, why(tagged(), target(false, "a")))
	off := target(false, "a")
	off.Conditions.TagFiltering = false
	require.Empty(t, why(tagged("z"), off))
}

// A prompt that may be too long for a target goes where there is room, if that is anywhere; to a fallback for such prompts at
// once, without a call that is refused.
func TestAPromptThatIsTooLongGoesStraightToWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	targets := []failover.Target{
		{Deployment: "small", Provider: "openai", Model: "small", Facts: failover.Facts{ContextTokens: 1000}, Group: "r"},
		{Deployment: "policy", Provider: "gemini", Model: "p", Facts: failover.Facts{ContextTokens: 1_000_000}, Group: "p", Stage: 1, For: failover.OnContentPolicy},
		{Deployment: "large", Provider: "openai", Model: "large", Facts: failover.Facts{ContextTokens: 100_000}, Group: "l", Stage: 1, For: failover.OnContextLength},
	}
	none := func() float64 { return 0 }
	fits := failover.Rank(failover.Ask{InputTokens: 900}.Filter(targets), failover.Preference{}, none)
	require.Equal(t, "small", fits.Candidates[0].Deployment)
	long := failover.Rank(failover.Ask{InputTokens: 1200, Bound: 600}.Filter(targets), failover.Preference{}, none)
	require.Equal(t, "large", long.Candidates[0].Deployment)
	require.Empty(t, long.Candidates[0].For, "it is called first")
	require.Contains(t, long.Excluded[0].Reason, "the prompt does not fit: about 1200 tokens, it takes 1000, and another has room")
	huge := failover.Rank(failover.Ask{InputTokens: 300_000, Bound: 150_000}.Filter(targets), failover.Preference{}, none)
	require.Empty(t, huge.Candidates)
	require.True(t, failover.TooLong(huge), "%v", huge.Excluded)
}

func ranked(targets []failover.Target, prefer failover.Preference) string {
	var names []string
	for _, candidate := range failover.Rank(targets, prefer, func() float64 { return 0 }).Candidates {
		names = append(names, candidate.Deployment)
	}
	return strings.Join(names, " ")
}

func measured(id string, strategy failover.Strategy, m failover.Measured, price int64) failover.Target {
	target := failover.Target{Deployment: id, Provider: id, Model: "m-" + id, Weight: 1, Strategy: strategy, Measured: m}
	if price > 0 {
		target.Facts.InputPrice, target.Facts.OutputPrice = &price, &price
	}
	return target
}

func TestAStrategyOrdersWhatHasTheSameOrder(t *testing.T) {
	t.Parallel()
	group := func(strategy failover.Strategy) []failover.Target {
		return []failover.Target{
			measured("a", strategy, failover.Measured{FirstWord: 300 * time.Millisecond, InFlight: 1, Used: 0.5}, 3),
			measured("b", strategy, failover.Measured{FirstWord: 100 * time.Millisecond, InFlight: 3, Used: 0.9}, 0),
			measured("c", strategy, failover.Measured{FirstWord: 200 * time.Millisecond, InFlight: 0, Used: 0.1}, 1),
		}
	}
	for strategy, want := range map[failover.Strategy]string{
		failover.StrategyLatency: "b c a", failover.StrategyCost: "c a b", failover.StrategyLeastBusy: "c a b", failover.StrategyUsage: "c a b",
		failover.StrategyShuffle: "a b c",
	} {
		require.Equal(t, want, ranked(group(strategy), failover.Preference{}), strategy)
	}
	require.Equal(t, "b c a", ranked(group(failover.StrategyCost), failover.Preference{Sort: failover.StrategyLatency}), "a request's own comes first")
	ordered := group(failover.StrategyCost)
	ordered[1].Order = 9
	require.Equal(t, "b c a", ranked(ordered, failover.Preference{Sort: failover.StrategyLatency}), "over the orders of the file")
	unknown := append(group(failover.StrategyLatency), measured("new", failover.StrategyLatency, failover.Measured{}, 0))
	require.True(t, strings.HasPrefix(ranked(unknown, failover.Preference{}), "new"), "what is not known is tried")
	near := group(failover.StrategyLatency)
	for i := range near {
		near[i].Measured.Within = 1.5
	}
	last := failover.Rank(near, failover.Preference{}, func() float64 { return 0.99 })
	require.Equal(t, "c", last.Candidates[0].Deployment, "within the buffer the draw decides")
	plan := failover.Rank(group(failover.StrategyLatency), failover.Preference{}, func() float64 { return 0 })
	require.Equal(t, "by latency: first word after 100ms", plan.Candidates[0].Reason)
}

func TestTheSameModelElsewhereComesBeforeAnotherFamily(t *testing.T) {
	t.Parallel()
	target := func(id, family, line string) failover.Target {
		return failover.Target{Deployment: id, Provider: id, Weight: 1, Facts: failover.Facts{Family: family, Line: line}}
	}
	targets := []failover.Target{
		target("anthropic", "claude-sonnet-4-5", "claude"), target("openai", "gpt-4.1", "gpt"), target("haiku", "claude-haiku-4-5", "claude"),
		target("bedrock", "claude-sonnet-4-5", "claude"),
	}
	plan := failover.Rank(targets, failover.Preference{}, func() float64 { return 0 })
	require.Equal(t, "anthropic bedrock haiku openai", ranked(targets, failover.Preference{}))
	require.Contains(t, plan.Candidates[1].Reason, "the same model elsewhere")
	require.Contains(t, plan.Candidates[2].Reason, "of the same family")
	targets[1].Order, targets[0].Order, targets[2].Order, targets[3].Order = 1, 0, 2, 2
	require.Equal(t, "anthropic openai haiku bedrock", ranked(targets, failover.Preference{}), "an order that is written down counts more")
}

func TestARequestAndItsConversationHaveTheirSay(t *testing.T) {
	t.Parallel()
	var targets []failover.Target
	for i, provider := range []string{"openai", "anthropic", "gemini"} {
		targets = append(targets, failover.Target{Deployment: provider, Provider: provider, Model: "m", Order: i, Weight: 1})
	}
	require.Equal(t, "gemini openai anthropic", ranked(targets, failover.Preference{Providers: []string{"gemini"}}))
	require.Equal(t, "anthropic openai gemini", ranked(targets, failover.Preference{Last: failover.LastAnswer{Provider: "anthropic", Model: "m"}}))
	require.Equal(t, "openai anthropic gemini", ranked(targets, failover.Preference{Last: failover.LastAnswer{Provider: "anthropic", Model: "other"}}))
	single := failover.Rank(targets, failover.Preference{Single: true}, func() float64 { return 0 })
	require.Len(t, single.Candidates, 1)
	require.Equal(t, "[{anthropic anthropic m the request allows no fallback} {gemini gemini m the request allows no fallback}]", fmt.Sprint(single.Excluded))
}

func TestWhatIsForWantOfAnythingBetterComesLast(t *testing.T) {
	t.Parallel()
	require.Equal(t, "b a", ranked([]failover.Target{
		{Deployment: "a", Provider: "ollama", Degraded: true, Stage: 6}, {Deployment: "b", Provider: "openai", Stage: 9},
	}, failover.Preference{Providers: []string{"ollama"}}))
}

func TestThePromptCacheIsWeighed(t *testing.T) {
	t.Parallel()
	price := func(n int64) *int64 { return &n }
	target := func(name string, input, cached int64, strategy failover.Strategy) failover.Target {
		return failover.Target{
			Deployment: name, Provider: name, Model: "m", Weight: 1, Timeout: 1, Strategy: strategy,
			Facts: failover.Facts{InputPrice: price(input), OutputPrice: price(0), CacheReadPrice: price(cached)},
		}
	}
	last := failover.Preference{Last: failover.LastAnswer{Provider: "dear", Model: "m"}, Held: 10_000}
	none := func() float64 { return 0.5 }
	for name, c := range map[string]struct {
		dear, cheap failover.Target
		first       string
		reason      string
	}{
		"cached is cheaper than anew": {
			target("dear", 3_000_000, 300_000, failover.StrategyCost), target("cheap", 1_000_000, 100_000, failover.StrategyCost),
			"dear", "gave the conversation's last answer, cheap would read 10000 tokens anew for about $0.0100",
		},
		"anew is cheaper even so": {
			target("dear", 15_000_000, 1_500_000, failover.StrategyCost), target("cheap", 150_000, 10_000, failover.StrategyCost),
			"cheap", "cheaper than dear even without the 10000 tokens in its prompt cache",
		},
		"money is not what is asked for": {
			target("dear", 15_000_000, 1_500_000, failover.StrategyLeastBusy), target("cheap", 150_000, 10_000, failover.StrategyLeastBusy),
			"dear", "",
		},
	} {
		plan := failover.Rank([]failover.Target{c.cheap, c.dear}, last, none)
		require.Equal(t, c.first, plan.Candidates[0].Deployment, name)
		require.Contains(t, plan.Candidates[0].Reason, c.reason, name)
	}
}
