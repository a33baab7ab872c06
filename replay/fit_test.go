package replay_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
)

// conversation makes exchanges of tools and words by lot.
func conversation(random *rand.Rand, exchanges int) []replay.Entry {
	entries := []replay.Entry{{Role: llm.RoleSystem, Tokens: 20}}
	for range exchanges {
		entries = append(entries, replay.Entry{Role: llm.RoleUser, Tokens: 1 + random.Int64N(60)})
		for range random.IntN(3) {
			entries = append(entries, replay.Entry{Role: llm.RoleAssistant, Tokens: 10}, replay.Entry{Role: llm.RoleTool, Tokens: random.Int64N(80)})
		}
		entries = append(entries, replay.Entry{Role: llm.RoleAssistant, Tokens: 1 + random.Int64N(100)})
	}
	return append(entries, replay.Entry{Role: llm.RoleUser, Tokens: 30})
}

func sum(entries []replay.Entry, systemOnly bool) (total int64) {
	for _, entry := range entries {
		if !systemOnly || entry.Role == llm.RoleSystem {
			total += entry.Tokens
		}
	}
	return total
}

func TestWhatFitsIsSaidWhole(t *testing.T) {
	t.Parallel()
	entries := conversation(rand.New(rand.NewPCG(1, 1)), 5)
	index, fits := replay.Start(entries, 0, 0, sum(entries, false))
	require.Zero(t, index)
	require.True(t, fits)
}

func TestTheCutKeepsItsPromises(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 7))
		entries := conversation(random, 40)
		room := 400 + random.Int64N(2000)
		index, fits := replay.Start(entries, 0, 0, room)
		if sum(entries, false) <= room {
			require.Zero(t, index)
			continue
		}
		require.True(t, fits)
		require.Equal(t, llm.RoleUser, entries[index].Role, "an exchange begins with a question")
		require.NotEqual(t, llm.RoleUser, entries[index-1].Role)
		require.LessOrEqual(t, sum(entries[index:], false)+sum(entries[:index], true), room)
		require.Positive(t, replay.Exchanges(entries[:index]))

		// Whoever has read the end only cuts in the same place.
		tail := len(entries) - 1
		for tail > 0 && sum(entries[tail:], false) < room {
			tail--
		}
		same, fits := replay.Start(entries[tail:], sum(entries[:tail], false), sum(entries[:tail], true), room)
		require.True(t, fits)
		require.Equal(t, index, tail+same)
	}
}

func TestTheBeginningStaysTheSameForManyTurns(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	entries := conversation(random, 300)
	changes, turns, before := 0, 0, -1
	for n := 100; n < len(entries); n++ {
		if entries[n].Role != llm.RoleUser {
			continue
		}
		index, fits := replay.Start(entries[:n+1], 0, 0, 4000)
		require.True(t, fits)
		require.GreaterOrEqual(t, index, before, "what was left out once is not said again")
		if index != before {
			changes++
		}
		turns, before = turns+1, index
	}
	require.Less(t, changes*5, turns, "the prompt's beginning changed %d times in %d turns", changes, turns)
}

func TestTheLastExchangeIsNeverLeftOut(t *testing.T) {
	t.Parallel()
	entries := []replay.Entry{{Role: llm.RoleUser, Tokens: 10}, {Role: llm.RoleAssistant, Tokens: 10}, {Role: llm.RoleUser, Tokens: 500}, {Role: llm.RoleUser, Tokens: 500}}
	index, fits := replay.Start(entries, 0, 0, 100)
	require.Equal(t, 2, index)
	require.False(t, fits)
	index, fits = replay.Start(entries, 1000, 10, 1020)
	require.Equal(t, 2, index)
	require.True(t, fits)
}

func TestSystemMessagesAndASummaryStandBeforeTheRest(t *testing.T) {
	t.Parallel()
	say := func(role llm.Role, text string) llm.Message {
		return llm.Message{Role: role, Parts: []llm.Part{llm.Text(text)}}
	}
	messages := []llm.Message{say(llm.RoleSystem, "s"), say(llm.RoleUser, "1"), say(llm.RoleAssistant, "2"), say(llm.RoleUser, "3")}
	summary := say(llm.RoleUser, "so far")
	require.Equal(t, []llm.Message{messages[0], summary, messages[3]}, replay.From(messages, 3, &summary))
	require.Equal(t, messages, replay.From(messages, 0, nil))
}

func TestASwitchSaysWhatItLosesAndCosts(t *testing.T) {
	t.Parallel()
	origin := llm.Origin{Provider: "anthropic", Model: "claude"}
	opaque := &llm.Opaque{Origin: origin, Data: []byte(`"x"`)}
	messages := []llm.Message{{Role: llm.RoleAssistant, Parts: []llm.Part{
		{Type: llm.PartReasoning, Text: "hm", Opaque: opaque},
		{Type: llm.PartReasoning, Opaque: opaque},
		{Type: llm.PartServerTool, Text: "searched", Opaque: opaque},
		{Type: llm.PartToolCall, ToolCall: &llm.ToolCall{ID: "c"}, Opaque: opaque},
		llm.Text("words"),
	}}}
	require.Empty(t, replay.Lost(messages, "anthropic", "claude"))
	lost := replay.Lost(messages, "openai", "gpt")
	require.Len(t, lost, 4)
	for _, kind := range lost {
		require.Equal(t, 1, kind.Count)
	}
	change := replay.NewSwitch([2]string{"anthropic", "claude"}, [2]string{"openai", "gpt"}, 10_000, 2_000, 9_000,
		&replay.Prices{Input: 3_000_000, CacheRead: 300_000}, &replay.Prices{Input: 2_000_000}, lost)
	require.EqualValues(t, 8_000, change.Tokens)
	require.EqualValues(t, 16_000, *change.CostMicros)
	require.EqualValues(t, 24_300, *change.LostMicros)
	unknown := replay.NewSwitch([2]string{}, [2]string{}, 1, 2, 3, nil, nil, nil)
	require.Nil(t, unknown.CostMicros)
	require.Nil(t, unknown.LostMicros)
	require.Zero(t, unknown.Tokens)
}
