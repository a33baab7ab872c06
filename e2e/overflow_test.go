package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// overflowing is an instance whose targets can hold little.
var overflowing = sharedInstance{config: func(p providers) string {
	return p.configText(settings{holdfast: "routes: {dropping: {overflow: drop_oldest}, telling: {overflow: {summarise: teller}}, failing: {overflow: {summarise: broken}}, silenced: {overflow: {summarise: silent}}}"},
		[]string{"dropping", "openai/gpt-dropping; max_input_tokens: 1200"},
		[]string{"telling", "openai/gpt-telling; max_input_tokens: 6000"},
		[]string{"failing", "openai/gpt-failing; max_input_tokens: 3000"},
		[]string{"refusing", "openai/gpt-refusing; max_input_tokens: 1200"},
		[]string{"teller", "anthropic/claude-teller"},
		[]string{"broken", "gemini/gemini-broken"},
		[]string{"other", "anthropic/claude-other"},
		[]string{"silenced", "openai/gpt-silenced; max_input_tokens: 6000"},
		[]string{"silent", "gemini/gemini-silent"},
	)
}}

// replay is what the record says of a conversation that was said again.
type replayed struct {
	Items   int64 `json:"items"`
	LeftOut *struct {
		Before    int64  `json:"before"`
		Tokens    int64  `json:"tokens"`
		Exchanges int    `json:"exchanges"`
		Summary   string `json:"summary"`
	} `json:"left_out"`
	Switch *struct {
		FromProvider string `json:"from_provider"`
		ToProvider   string `json:"to_provider"`
		Tokens       int64  `json:"tokens"`
		Cost         *int64 `json:"cost_microusd"`
	} `json:"switch"`
}

func (i *instance) replayed(t testing.TB, id string) (found *replayed) {
	t.Helper()
	var record struct {
		Replay *replayed `json:"replay"`
	}
	i.get(t, "/v1/holdfast/completions/"+id, &record)
	return record.Replay
}

// long turns are said in a conversation until it is longer than the route's targets can hold.
func (i *instance) talk(t testing.TB, route, conversation string, turns int) (last reply) {
	t.Helper()
	for n := range turns {
		text := fmt.Sprintf("question %d of %s %s", n, route, strings.Repeat("and so on ", 40))
		last = i.chat(t, map[string]any{"model": route, "conversation": conversation, "messages": []map[string]any{{"role": "user", "content": text}}})
		require.Equal(t, http.StatusOK, last.status, "turn %d: %s", n, last.body)
	}
	return last
}

func (i *instance) converse(t testing.TB) string {
	t.Helper()
	got, err := i.do(within(t, late), http.MethodPost, "/v1/conversations", map[string]any{
		"items": []map[string]any{{"type": "message", "role": "system", "content": "Keep to the point."}},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	var created struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal(got.body, &created))
	return created.ID
}

// A conversation that has become too long loses its oldest exchanges, whole ones, and says so.
func TestTheOldestExchangesAreLeftOutAndSaidSo(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := overflowing.use(t)
	conversation := holdfast.converse(t)
	got := holdfast.talk(t, "dropping", conversation, 14)
	record := holdfast.replayed(t, got.id())
	require.NotNil(t, record.LeftOut)
	require.Positive(t, record.LeftOut.Exchanges)
	require.EqualValues(t, 1+2*13, record.Items)
	left, err := strconv.ParseInt(got.header.Get("X-Holdfast-Replay-Left-Out-Tokens"), 10, 64)
	require.NoError(t, err)
	require.Equal(t, record.LeftOut.Tokens, left)
	calls := slices.DeleteFunc(providers.clientCalls(simulator.OpenAI, "gpt-dropping"), func(call simulator.Call) bool {
		return !strings.Contains(string(call.Body), "question 13 of dropping") // others speak to the model at the same time
	})
	require.Len(t, calls, 1)
	body := string(calls[0].Body)
	require.Contains(t, body, "Keep to the point.", "what the system says stays")
	require.NotContains(t, body, "question 0 of dropping")

	items := 0
	for after := ""; ; {
		var page struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
			HasMore bool   `json:"has_more"`
			LastID  string `json:"last_id"`
		}
		holdfast.get(t, "/v1/conversations/"+conversation+"/items?order=asc&limit=7&after="+after, &page)
		items += len(page.Data)
		if after = page.LastID; !page.HasMore {
			break
		}
	}
	require.Equal(t, 1+2*14, items, "nothing is left out of the log")
}

// A model writes what stands in for what is left out, as a completion of its own.
func TestASummaryStandsInForWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := overflowing.use(t)
	conversation := holdfast.converse(t)
	got := holdfast.talk(t, "telling", conversation, 27)
	record := holdfast.replayed(t, got.id())
	require.NotNil(t, record.LeftOut)
	require.NotEmpty(t, record.LeftOut.Summary)
	written := providers.clientCalls(simulator.Anthropic, "claude-teller")
	require.NotEmpty(t, written)
	require.LessOrEqual(t, len(written)*3, 27, "a summary serves several turns")
	require.Contains(t, string(written[0].Body), "question 0 of telling")
	if len(written) > 1 {
		require.Contains(t, string(written[1].Body), "The memory so far")
	}
	calls := providers.clientCalls(simulator.OpenAI, "gpt-telling")
	require.Contains(t, string(calls[len(calls)-1].Body), "What was said before, in short")
	summary := holdfast.record(t, record.LeftOut.Summary)
	require.Equal(t, "succeeded", summary.State)
	require.Equal(t, "anthropic", summary.Provider)

	deleted, err := holdfast.do(within(t, late), http.MethodDelete, "/v1/conversations/"+conversation, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, deleted.status, "%s", deleted.body)
	var left int
	require.NoError(t, holdfast.database(t, "holdfast").QueryRow(within(t, soon),
		`SELECT count(*) FROM completion_requests WHERE body::text LIKE '%of telling%'`).Scan(&left))
	require.Zero(t, left, "what was told to the summary's writer is erased too")
}

// Without a summary the conversation goes on all the same.
func TestAConversationGoesOnWithoutItsSummary(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := overflowing.use(t)
	providers.SetFault(simulator.Gemini, simulator.Fault{Match: simulator.Match{Model: "gemini-broken"}, Status: http.StatusBadRequest})
	got := holdfast.talk(t, "failing", holdfast.converse(t), 22)
	record := holdfast.replayed(t, got.id())
	require.NotNil(t, record.LeftOut)
	require.Empty(t, record.LeftOut.Summary)
}

// Where nothing may be left out, the request is refused, and so it is for a client that forbids it.
func TestAConversationThatIsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := overflowing.use(t)
	conversation := holdfast.converse(t)
	refused := func(body map[string]any) reply {
		for n := range 40 {
			body["input"] = fmt.Sprintf("question %d %s", n, strings.Repeat("and so on ", 40))
			got, err := holdfast.do(within(t, late), http.MethodPost, "/v1/responses", body)
			require.NoError(t, err)
			if got.status != http.StatusOK {
				return got
			}
		}
		return reply{}
	}
	got := refused(map[string]any{"model": "refusing", "conversation": conversation})
	require.Equal(t, http.StatusBadRequest, got.status, "%s", got.body)
	require.Contains(t, string(got.body), "context_length_exceeded")
	again, err := holdfast.do(within(t, late), http.MethodPost, "/v1/responses", map[string]any{
		"model": "refusing", "conversation": conversation, "truncation": "auto", "input": "and now?",
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, again.status, "%s", again.body)
	require.NotEmpty(t, again.header.Get("X-Holdfast-Replay-Left-Out-Tokens"))
	require.Equal(t, http.StatusBadRequest, refused(map[string]any{"model": "dropping", "conversation": holdfast.converse(t), "truncation": "disabled"}).status)
}

// A change of provider says in the record and in headers what it cost.
func TestAChangeOfProviderSaysWhatItCost(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, _ := overflowing.use(t)
	conversation := holdfast.converse(t)
	holdfast.talk(t, "dropping", conversation, 2)
	got := holdfast.talk(t, "other", conversation, 1)
	change := holdfast.replayed(t, got.id()).Switch
	require.NotNil(t, change)
	require.Equal(t, "openai", change.FromProvider)
	require.Equal(t, "anthropic", change.ToProvider)
	require.Positive(t, change.Tokens)
	require.Equal(t, strconv.FormatInt(change.Tokens, 10), got.header.Get("X-Holdfast-Replay-Switch-Tokens"))
	require.Nil(t, holdfast.replayed(t, holdfast.talk(t, "other", conversation, 1).id()).Switch)
}

// A response that waits for its summary is cancelled at once, and its conversation goes on.
func TestACancelledResponseDoesNotWaitForItsSummary(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := overflowing.use(t)
	providers.SetFault(simulator.Gemini, simulator.Fault{Match: simulator.Match{Model: "gemini-silent"}, Hang: true})
	conversation := holdfast.converse(t)
	post := func(n int) (id, status string) {
		got, err := holdfast.do(within(t, late), http.MethodPost, "/v1/responses", map[string]any{
			"model": "silenced", "conversation": conversation, "background": true, "input": fmt.Sprintf("question %d %s", n, strings.Repeat("and so on ", 80)),
		})
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		var response struct {
			ID string `json:"id"`
		}
		require.NoError(t, json.Unmarshal(got.body, &response))
		read, err := holdfast.do(within(t, late), http.MethodGet, "/v1/responses/"+response.ID, nil, "Prefer", "wait=3")
		require.NoError(t, err)
		var found struct {
			Status string `json:"status"`
		}
		require.NoError(t, json.Unmarshal(read.body, &found))
		return response.ID, found.Status
	}
	waiting := ""
	for n := 0; n < 40 && waiting == ""; n++ {
		if id, status := post(n); status != "completed" {
			waiting = id
		}
	}
	require.NotEmpty(t, waiting, "no response waited for a summary")
	began := time.Now()
	got, err := holdfast.do(within(t, late), http.MethodPost, "/v1/responses/"+waiting+"/cancel", nil)
	require.NoError(t, err)
	require.Contains(t, string(got.body), `"status":"cancelled"`)
	require.Less(t, time.Since(began), 5*time.Second)
	again, err := holdfast.do(within(t, late), http.MethodPost, "/v1/responses", map[string]any{
		"model": "other", "conversation": conversation, "input": "and now?",
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, again.status, "%s", again.body)
}
