package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	openaisdk "github.com/openai/openai-go/v3"
	openaiconversations "github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// One conversation of sixty turns goes to another vendor with each, in another dialect, whole or streamed, with tools and with
// thoughts, while providers fail and streams break and the process is killed twice. Each vendor refuses what the true one would
// not take; none has to. In the end the log holds each turn once, in order, and each call with its result.
func TestAConversationHopsAcrossAllVendorsAndDialects(t *testing.T) {
	t.Parallel()
	long(t)
	const turns, seed = 60, 20260729
	t.Logf("seed %d", seed)
	h := hopper{t: t, random: rand.New(rand.NewPCG(seed, seed)), providers: simulate(t), dir: dataDir(t), vendors: spokenVendors()}
	routes := make([][]string, 0, len(h.vendors))
	for i, s := range h.vendors {
		routes = append(routes, []string{s.route, s.target, h.vendors[(i+1)%len(h.vendors)].target, h.vendors[(i+4)%len(h.vendors)].target})
	}
	h.config = h.providers.configWith(t, settings{router: "disable_cooldowns: true"}, routes...)
	h.holdfast = up(t, h.dir, h.config)
	command(t, "ya29.hop", nil, "keys", "add", "vertex", "--name", "hop", "--data", h.dir)
	h.conversation = h.holdfast.newConversation(t)

	begun := time.Now()
	for n := range turns {
		h.turn(n, n == turns/3 || n == 2*turns/3)
	}
	t.Logf("%d turns took %s: %v", turns, time.Since(begun).Round(time.Millisecond), h.counts)
	h.requireRecords()
	h.requireLog()
	requireNothingOpen(t, h.holdfast)
}

// hopper is the client of the conversation.
type hopper struct {
	t            *testing.T
	random       *rand.Rand
	providers    providers
	vendors      []spoken
	dir, config  string
	holdfast     *instance
	conversation string
	// open are the calls that have no result yet.
	open []hopCall
	// asked is the turn that they are of.
	asked int
	// want is the log as it must be in the end.
	want   []string
	counts map[string]int
}

type hopCall struct{ id, name string }

// hop is one request, in whatever dialect.
type hop struct {
	route, dialect, key string
	stream, thinks      bool
	text                string
	results             []hopCall // answered by the text
}

// turn asks the next thing: for what the open calls gave, if there are any.
func (h *hopper) turn(n int, kill bool) {
	t := h.t
	t.Helper()
	at := h.vendors[h.random.IntN(len(h.vendors))]
	ask := hop{
		route: at.route, dialect: []string{"chat", "responses", "messages"}[h.random.IntN(3)], key: fmt.Sprint("hop-", n),
		stream: h.random.IntN(2) == 0, thinks: h.random.IntN(3) == 0,
	}
	var answer string
	calls := []string{}
	switch kind := h.random.IntN(3); {
	case len(h.open) > 0:
		ask.results, ask.text = h.open, fmt.Sprintf("result of turn %d", h.asked)
		answer = ask.text
		for range h.open {
			h.want = append(h.want, "function_call_output "+ask.text)
		}
	case kind == 0:
		ask.text = fmt.Sprintf("turn %d, a plain question of some words.", n)
		answer = "You said: " + ask.text
	case kind == 1:
		ask.text, calls = fmt.Sprintf("turn %d, please call the tool weather.", n), []string{"weather"}
	default:
		ask.text, calls = fmt.Sprintf("turn %d, please call the tools weather and traffic.", n), []string{"weather", "traffic"}
	}
	if len(ask.results) == 0 {
		h.want = append(h.want, "message "+ask.text)
	}
	h.count(ask.dialect, string(at.vendor), fmt.Sprint("streamed ", ask.stream))
	h.inflict(at, ask, len(calls) > 0)

	var got hopAnswer
	var err error
	if kill {
		h.killDuring(ask)
		got, err = h.send(t.Context(), ask) // the key gives the answer of the first
	} else {
		got, err = h.send(t.Context(), ask)
	}
	require.NoError(t, err, "turn %d: %+v", n, ask)
	h.providers.ClearFaults("")
	names := []string{}
	for _, call := range got.calls {
		names = append(names, call.name)
	}
	require.Equal(t, calls, names, "turn %d: %+v: %q", n, ask, got.text)
	require.Contains(t, got.text, answer, "turn %d: %+v", n, ask)
	if len(calls) == 0 {
		h.want = append(h.want, "message "+answer)
	}
	for _, name := range calls {
		h.want = append(h.want, "function_call "+name)
	}
	h.open, h.asked = got.calls, n
}

func (h *hopper) count(what ...string) {
	if h.counts == nil {
		h.counts = map[string]int{}
	}
	for _, name := range what {
		h.counts[name]++
	}
}

// inflict lets every third turn meet an outage, and every third streamed text break in the middle: a call is never put together
// from two.
func (h *hopper) inflict(at spoken, ask hop, calling bool) {
	fault := simulator.Fault{Match: simulator.Match{Model: at.model}, Count: 1}
	switch kind := h.random.IntN(3); {
	case kind == 0:
		fault.Status = http.StatusServiceUnavailable
		h.count("outages")
	case kind == 1 && ask.stream && !calling:
		fault.Stream = &simulator.StreamFault{Kind: []simulator.StreamFaultKind{simulator.StreamCut, simulator.StreamReset, simulator.StreamNoTerminal}[h.random.IntN(3)], After: h.random.IntN(5)}
		h.count("broken streams")
	default:
		return
	}
	h.providers.SetFault(at.vendor, fault)
}

// killDuring sends the request and kills the process while a provider is at it; then it is started again.
func (h *hopper) killDuring(ask hop) {
	t := h.t
	t.Helper()
	for _, vendor := range simulator.Vendors() {
		h.providers.takes(vendor, time.Second)
		defer h.providers.takes(vendor, 0)
	}
	before := h.running()
	lost := make(chan error, 1)
	go func() {
		_, err := h.send(context.Background(), ask)
		lost <- err
	}()
	require.Eventually(t, func() bool { return h.running() > before }, soon, 10*time.Millisecond, "nobody was asked")
	h.holdfast.kill(t)
	require.Error(t, <-lost)
	h.holdfast = up(t, h.dir, h.config)
	h.count("kills")
}

// running counts the calls that a vendor has not answered.
func (h *hopper) running() (n int) {
	for _, vendor := range simulator.Vendors() {
		for _, call := range h.providers.Completions(vendor) {
			if !call.Done && call.Fault == "" {
				n++
			}
		}
	}
	return n
}

// hopAnswer is what any dialect says.
type hopAnswer struct {
	text  string
	calls []hopCall
}

func (h *hopper) send(ctx context.Context, ask hop) (hopAnswer, error) {
	switch ask.dialect {
	case "chat":
		return h.chat(ctx, ask)
	case "responses":
		return h.respond(ctx, ask)
	default:
		return h.message(ctx, ask)
	}
}

func (h *hopper) chat(ctx context.Context, ask hop) (got hopAnswer, err error) {
	sdk := h.holdfast.openAI()
	params := openaisdk.ChatCompletionNewParams{Model: ask.route}
	for _, name := range []string{"weather", "traffic"} {
		params.Tools = append(params.Tools, openaisdk.ChatCompletionFunctionTool(openaisdk.FunctionDefinitionParam{Name: name, Parameters: citySchema()}))
	}
	for _, call := range ask.results {
		params.Messages = append(params.Messages, openaisdk.ToolMessage(ask.text, call.id))
	}
	if len(ask.results) == 0 {
		params.Messages = append(params.Messages, openaisdk.UserMessage(ask.text))
	}
	if ask.thinks {
		params.ReasoningEffort = shared.ReasoningEffortLow
	}
	opts := []option.RequestOption{option.WithHeader("Idempotency-Key", ask.key), option.WithJSONSet("conversation", h.conversation)}
	var message openaisdk.ChatCompletionMessage
	if ask.stream {
		var whole openaisdk.ChatCompletionAccumulator
		stream := sdk.Chat.Completions.NewStreaming(ctx, params, opts...)
		for stream.Next() {
			whole.AddChunk(stream.Current())
		}
		if err := stream.Err(); err != nil {
			return got, err
		}
		message = whole.Choices[0].Message
	} else {
		answer, err := sdk.Chat.Completions.New(ctx, params, opts...)
		if err != nil {
			return got, err
		}
		message = answer.Choices[0].Message
	}
	for _, call := range message.ToolCalls {
		got.calls = append(got.calls, hopCall{call.ID, call.Function.Name})
	}
	got.text = message.Content
	return got, nil
}

func (h *hopper) respond(ctx context.Context, ask hop) (got hopAnswer, err error) {
	sdk := h.holdfast.openAI()
	params := responses.ResponseNewParams{Model: ask.route, Tools: functions("weather", "traffic"), Conversation: in(h.conversation), Input: said(ask.text)}
	if len(ask.results) > 0 {
		var results []responses.ResponseInputItemUnionParam
		for _, call := range ask.results {
			results = append(results, toolSaid(call.id, ask.text))
		}
		params.Input = items(results...)
	}
	if ask.thinks {
		params.Reasoning = shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto}
	}
	var response *responses.Response
	key := option.WithHeader("Idempotency-Key", ask.key)
	if ask.stream {
		var whole responseStream
		stream := sdk.Responses.NewStreaming(ctx, params, key)
		for stream.Next() {
			whole.take(stream.Current())
		}
		if err := stream.Err(); err != nil {
			return got, err
		}
		if whole.text != whole.final.OutputText() {
			return got, fmt.Errorf("the pieces %q are not the whole %q", whole.text, whole.final.OutputText())
		}
		response = &whole.final
	} else if response, err = sdk.Responses.New(ctx, params, key); err != nil {
		return got, err
	}
	for _, call := range callsOf(response) {
		got.calls = append(got.calls, hopCall{call.CallID, call.Name})
	}
	got.text = response.OutputText()
	return got, nil
}

func (h *hopper) message(ctx context.Context, ask hop) (got hopAnswer, err error) {
	sdk := h.holdfast.anthropic()
	blocks := []anthropicsdk.ContentBlockParamUnion{anthropicsdk.NewTextBlock(ask.text)}
	if len(ask.results) > 0 {
		blocks = nil
		for _, call := range ask.results {
			blocks = append(blocks, anthropicsdk.NewToolResultBlock(call.id, ask.text, false))
		}
	}
	params := anthropicsdk.MessageNewParams{Model: ask.route, MaxTokens: 4000, Tools: toolsOf("weather", "traffic"), Messages: []anthropicsdk.MessageParam{userBlocks(blocks...)}}
	if ask.thinks {
		params.Thinking = anthropicsdk.ThinkingConfigParamOfEnabled(1024)
	}
	opts := []anthropicoption.RequestOption{anthropicoption.WithHeader("Idempotency-Key", ask.key), anthropicoption.WithJSONSet("conversation", h.conversation)}
	message := &anthropicsdk.Message{}
	if ask.stream {
		stream := sdk.Messages.NewStreaming(ctx, params, opts...)
		for stream.Next() {
			if err := message.Accumulate(stream.Current()); err != nil {
				return got, err
			}
		}
		if err := stream.Err(); err != nil {
			return got, err
		}
		if message.StopReason == "" {
			return got, fmt.Errorf("the stream ended without an end: %s", messageText(message))
		}
	} else if message, err = sdk.Messages.New(ctx, params, opts...); err != nil {
		return got, err
	}
	for _, use := range toolUses(message) {
		got.calls = append(got.calls, hopCall{use.ID, use.Name})
	}
	got.text = messageText(message)
	return got, nil
}

// requireRecords requires that each completion succeeded, that no vendor was sent what it refuses, and that all were asked.
func (h *hopper) requireRecords() {
	t := h.t
	t.Helper()
	ids := h.holdfast.recorded(t, "")
	failed := 0
	for _, id := range ids {
		found := h.holdfast.record(t, id)
		require.Equal(t, "succeeded", found.State, "%+v", found)
		for _, attempt := range found.Attempts {
			require.NotEqual(t, "caller_fault", attempt.ErrorKind, "%+v", found)
			if attempt.State != "succeeded" {
				failed++
			}
		}
	}
	require.Positive(t, failed, "no fault was met: this test has tested nothing")
	t.Logf("%d completions, %d attempts that failed or were killed", len(ids), failed)
	for _, s := range h.vendors {
		asked := 0
		for _, call := range h.providers.Completions(s.vendor) {
			if call.Model == s.model {
				asked++
			}
			require.NotEqual(t, http.StatusBadRequest, call.Status, "%s refused %s", s.vendor, call.Body)
		}
		require.Positive(t, asked, "%s was never asked", s.route)
	}
}

// requireLog requires the log to be what was said, and each call to have its result behind it.
func (h *hopper) requireLog() {
	t := h.t
	t.Helper()
	sdk := h.holdfast.openAI()
	pager := sdk.Conversations.Items.ListAutoPaging(t.Context(), h.conversation, openaiconversations.ItemListParams{Limit: openaisdk.Int(7), Order: openaiconversations.ItemListParamsOrderAsc})
	var said, open []string
	for pager.Next() {
		item := pager.Current()
		entry := describe(t, item.RawJSON())
		if item.Type == "reasoning" || strings.Contains(entry, "I will use the ") { // Cohere's models say what they are about to do
			continue
		}
		said = append(said, entry)
		var pair struct {
			CallID string `json:"call_id"`
		}
		require.NoError(t, json.Unmarshal([]byte(item.RawJSON()), &pair))
		switch item.Type {
		case "function_call":
			open = append(open, pair.CallID)
		case "function_call_output":
			require.Contains(t, open, pair.CallID, "a result without a call")
			open = slices.DeleteFunc(open, func(id string) bool { return id == pair.CallID })
		default:
			require.Empty(t, open, "calls without results before %q", entry)
		}
	}
	require.NoError(t, pager.Err())
	require.Len(t, open, len(h.open))
	require.Len(t, said, len(h.want), "%q", said)
	for i, want := range h.want {
		kind, text, _ := strings.Cut(want, " ")
		require.True(t, strings.HasPrefix(said[i], kind) && strings.Contains(said[i], text), "entry %d is %q, not %q", i, said[i], want)
	}
}

// requireNothingOpen looks into the database for what no API shows.
func requireNothingOpen(t *testing.T, holdfast *instance) {
	t.Helper()
	db := holdfast.database(t, "holdfast")
	for what, query := range map[string]string{
		"open completions":              `SELECT count(*) FROM completions WHERE state = 'open'`,
		"attempts under way":            `SELECT count(*) FROM attempts WHERE state = 'started'`,
		"conversations held by a turn":  `SELECT count(*) FROM conversations WHERE active_completion IS NOT NULL`,
		"places that are held twice":    `SELECT count(*) FROM (SELECT FROM conversation_items GROUP BY conversation_id, seq HAVING count(*) > 1) AS twice`,
		"completions with two answers":  `SELECT count(*) FROM (SELECT FROM conversation_items WHERE provider <> '' GROUP BY completion_id HAVING count(*) > 1) AS twice`,
		"transcripts of what has ended": `SELECT count(*) FROM completion_transcripts`,
	} {
		var n int
		require.NoError(t, db.QueryRow(within(t, soon), query).Scan(&n))
		require.Zero(t, n, what)
	}
}
