package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/jackc/pgx/v5"
	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowservicepb "go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/simulator"
)

// What is erased is nowhere: a word that stood in every question and answer, in a picture's place, in a function's arguments, in
// metadata, in an end user's name and in a vendor's error is looked for in each column of each table of each database, in every
// form in which it could stand there. The numbers stay.
func TestWhatIsErasedIsNowhere(t *testing.T) {
	t.Parallel()
	long(t)
	const word = "quillwort7f3a9c"
	providers := simulate(t)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "A file that says "+word+" and no more.")
	}))
	defer site.Close()
	holdfast := up(t, dataDir(t), providers.configWith(t, settings{
		router:   "disable_cooldowns: true",
		holdfast: "media: {allow_private: true}, routes: {cached: {cache: {ttl: 10m}}}",
	},
		[]string{"plain", "openai/gpt-plain", "anthropic/claude-plain"}, []string{"claude", "anthropic/claude-sonnet-4-5"},
		[]string{"thinking", "openai/responses/gpt-5.5"}, []string{"gemini", "gemini/gemini-3-pro-preview"},
		[]string{"cached", "openai/gpt-cached"}, []string{"slow", "openai/gpt-slow"}, []string{"failing", "openai/gpt-failing"}))
	said := saying{t: t, holdfast: holdfast, providers: providers, word: word, file: site.URL + "/file.txt"}

	said.inAConversation()
	said.inResponses()
	said.inChat()
	said.withoutBeingKept()
	search := newSearch(t, holdfast, word)
	found := search.everywhere(t)
	t.Logf("before: %v", found)
	require.NotEmpty(t, found, "the search finds nothing: it would find nothing afterwards either")
	for place := range found {
		require.NotContains(t, place, "temporal", "Temporal never holds what is said")
	}
	require.NotEmpty(t, newSearch(t, holdfast, said.completions[0]).everywhere(t)["temporal"], "Temporal's databases are not searched in truth")

	for _, path := range said.erase {
		got, err := holdfast.do(within(t, late), http.MethodDelete, path, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, got.status, "%s: %s", path, got.body)
	}
	require.Eventually(t, func() bool { // what was not to be kept goes when it has been delivered
		found = search.everywhere(t)
		return len(found) == 0
	}, soon, 4*tick, "it still stands in %v", &found)
	require.Zero(t, search.histories(t), "Temporal's histories say it")
	require.NotContains(t, holdfast.stdout.String()+holdfast.stderr.String(), word, "the log says it")

	require.NotEmpty(t, said.completions)
	for _, id := range said.completions {
		record := holdfast.record(t, id)
		require.NotEqual(t, "open", record.State)
		require.NotNil(t, record.FinishedAt)
		if record.ServedFrom == "" {
			require.NotEmpty(t, record.Attempts, "%+v", record)
			require.NotEmpty(t, record.Attempts[0].Provider)
		}
		if record.State == "succeeded" && record.ServedFrom == "" {
			require.Positive(t, record.Attempts[len(record.Attempts)-1].Usage.OutputTokens, "%+v", record)
		}
	}
}

// saying says a word wherever it can be said, and notes what is to be erased for it to be gone.
type saying struct {
	t           *testing.T
	holdfast    *instance
	providers   providers
	word, file  string
	completions []string
	erase       []string
}

func (s *saying) completion(raw *http.Response) {
	s.t.Helper()
	require.NotNil(s.t, raw)
	require.NotEmpty(s.t, raw.Header.Get("X-Holdfast-Completion-Id"))
	s.completions = append(s.completions, raw.Header.Get("X-Holdfast-Completion-Id"))
}

// inAConversation goes through all dialects, with branches, tools, thoughts, a file and a provider that quotes what it refuses.
func (s *saying) inAConversation() {
	t, sdk, messages := s.t, s.holdfast.openAI(), s.holdfast.anthropic()
	made, err := s.holdfast.do(within(t, late), http.MethodPost, "/v1/conversations", map[string]any{
		"metadata": map[string]string{"topic": s.word},
		"items":    []any{map[string]any{"type": "message", "role": "user", "content": "It begins with " + s.word}},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, made.status, "%s", made.body)
	_, rest, _ := strings.Cut(string(made.body), `"id":"`)
	conversation, _, _ := strings.Cut(rest, `"`)

	s.providers.SetFault(simulator.OpenAI, simulator.Fault{
		Match: simulator.Match{Model: "gpt-plain"}, Status: http.StatusServiceUnavailable, Message: "We cannot answer to " + s.word, Count: 1,
	})
	var raw *http.Response
	_, err = sdk.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
		Model: "plain", User: openaisdk.String(s.word), Metadata: shared.Metadata{"note": s.word},
		Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("In chat: " + s.word)},
	}, option.WithJSONSet("conversation", conversation), option.WithResponseInto(&raw))
	require.NoError(t, err)
	require.Equal(t, "1", raw.Header.Get("X-Holdfast-Failovers"))
	s.completion(raw)

	got := s.holdfast.chat(t, map[string]any{"model": "claude", "conversation": conversation, "messages": []any{map[string]any{
		"role": "user", "content": []any{
			map[string]any{"type": "file", "file": map[string]any{"file_url": s.file, "filename": s.word + ".txt"}},
			map[string]any{"type": "text", "text": "What does the file say of " + s.word + "?"},
		},
	}}})
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	s.completions = append(s.completions, got.id())

	call, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
		Model: "thinking", Conversation: in(conversation), Tools: functions("weather"), Input: items(userSaid("Please call the tool weather for " + s.word)),
		Reasoning: shared.ReasoningParam{Effort: "low", Summary: "auto"}, Instructions: openaisdk.String("Think of " + s.word),
	}, option.WithResponseInto(&raw))
	require.NoError(t, err)
	s.completion(raw)
	require.Len(t, callsOf(call), 1)
	message := newMessage(t, messages, anthropicsdk.MessageNewParams{
		Model: "gemini", MaxTokens: 4000, Tools: toolsOf("weather"), System: []anthropicsdk.TextBlockParam{{Text: "Speak of " + s.word}},
		Messages: []anthropicsdk.MessageParam{userBlocks(anthropicsdk.NewToolResultBlock(callsOf(call)[0].CallID, "it is "+s.word, false))},
	}, true, anthropicoption.WithJSONSet("conversation", conversation), anthropicoption.WithResponseInto(&raw))
	require.Contains(t, messageText(message), s.word)
	s.completion(raw)
	for i := range 2 { // two branches from one turn of it
		_, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
			Model: "claude", PreviousResponseID: openaisdk.String(call.ID), Tools: functions("weather"),
			Input: items(toolSaid(callsOf(call)[0].CallID, fmt.Sprintf("branch %d says %s", i, s.word))),
		}, option.WithResponseInto(&raw))
		require.NoError(t, err)
		s.completion(raw)
	}
	s.erase = append(s.erase, "/v1/conversations/"+conversation)
}

// inResponses makes responses that follow on each other, one that is streamed for long and one that is cut off.
func (s *saying) inResponses() {
	t, sdk := s.t, s.holdfast.openAI()
	previous := ""
	for i := range 3 {
		params := responses.ResponseNewParams{Model: "plain", Input: said(fmt.Sprintf("response %d: %s", i, s.word)), Metadata: shared.Metadata{"note": s.word}}
		if previous != "" {
			params.PreviousResponseID = openaisdk.String(previous)
		}
		var raw *http.Response
		made, err := sdk.Responses.New(t.Context(), params, option.WithResponseInto(&raw))
		require.NoError(t, err)
		s.completion(raw)
		previous = made.ID
		s.erase = append(s.erase, "/v1/responses/"+made.ID)
	}
	s.providers.SetBehaviour(simulator.OpenAI, simulator.Behaviour{EventDelay: 100 * time.Millisecond})
	defer s.providers.SetBehaviour(simulator.OpenAI, simulator.Behaviour{})
	long := strings.Repeat("so many words about "+s.word+" and more of them, ", 12)
	var raw *http.Response
	streamed := newResponse(t, sdk, responses.ResponseNewParams{Model: "slow", Input: said(long)}, option.WithResponseInto(&raw))
	s.completion(raw)

	made, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "slow", Input: said(long), Background: openaisdk.Bool(true)}, option.WithJSONSet("stream", false))
	require.NoError(t, err)
	stream := sdk.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{Model: "slow", Input: said("cut: " + long)}, option.WithResponseInto(&raw))
	s.completion(raw)
	text, id := "", ""
	db := s.holdfast.database(t, "holdfast")
	pieces := 0
	for pieces == 0 { // until a part of it is kept, which takes seconds
		require.True(t, stream.Next(), "%v", stream.Err())
		if text += stream.Current().Delta; stream.Current().Type == "response.created" {
			id = stream.Current().Response.ID
		}
		require.NoError(t, db.QueryRow(within(t, soon), `SELECT count(*) FROM completion_transcripts WHERE completion_id = $1`, raw.Header.Get("X-Holdfast-Completion-Id")).Scan(&pieces))
	}
	cancelled, err := sdk.Responses.Cancel(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, responses.ResponseStatusCancelled, cancelled.Status)
	require.NoError(t, stream.Close())
	require.Eventually(t, func() bool {
		read, err := sdk.Responses.Get(t.Context(), made.ID, responses.ResponseGetParams{})
		return err == nil && read.Status == responses.ResponseStatusCompleted
	}, late, tick)
	s.erase = append(s.erase, "/v1/responses/"+streamed.final.ID, "/v1/responses/"+id, "/v1/responses/"+made.ID)
}

// inChat asks twice for an answer that is kept in the cache, stores one, and has one fail with a vendor's words.
func (s *saying) inChat() {
	t, sdk := s.t, s.holdfast.openAI()
	ask := func(route, text string, store bool) (string, error) {
		var raw *http.Response
		_, err := sdk.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
			Model: route, Store: openaisdk.Bool(store), Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage(text)},
		}, option.WithResponseInto(&raw))
		s.completion(raw)
		id := raw.Header.Get("X-Holdfast-Completion-Id")
		s.erase = append(s.erase, "/v1/chat/completions/"+id)
		return id, err
	}
	_, err := ask("cached", "to be kept in the cache: "+s.word, true)
	require.NoError(t, err)
	hit, err := ask("cached", "to be kept in the cache: "+s.word, true)
	require.NoError(t, err)
	require.Equal(t, "hit", s.holdfast.record(t, hit).ServedFrom)
	_, err = ask("plain", "to be stored: "+s.word, true)
	require.NoError(t, err)
	s.providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-failing"}, Status: http.StatusBadRequest, Message: "Nobody may say " + s.word})
	_, err = ask("failing", "to fail: "+s.word, true)
	require.Error(t, err)
}

// withoutBeingKept asks for what is to be kept by nobody: nothing has to be done for it to be gone.
func (s *saying) withoutBeingKept() {
	t, sdk := s.t, s.holdfast.openAI()
	params := responses.ResponseNewParams{Model: "plain", Input: said("passing: " + s.word), Store: openaisdk.Bool(false), Metadata: shared.Metadata{"note": s.word}}
	var raw *http.Response
	_, err := sdk.Responses.New(t.Context(), params, option.WithResponseInto(&raw))
	require.NoError(t, err)
	s.completion(raw)
	newResponse(t, sdk, params, option.WithResponseInto(&raw))
	s.completion(raw)
	s.providers.SetFault(simulator.OpenAI, simulator.Fault{
		Match: simulator.Match{Model: "gpt-plain"}, Status: http.StatusServiceUnavailable, Message: "We cannot answer to " + s.word, Count: 1,
	})
	_, err = sdk.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
		Model: "plain", Store: openaisdk.Bool(false), User: openaisdk.String(s.word),
		Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("passing in chat: " + s.word)},
	}, option.WithResponseInto(&raw))
	require.NoError(t, err)
	s.completion(raw)
	params = responses.ResponseNewParams{Model: "failing", Input: said("passing and failing: " + s.word), Store: openaisdk.Bool(false)}
	_, err = sdk.Responses.New(t.Context(), params, option.WithResponseInto(&raw))
	require.Error(t, err)
	s.completion(raw)
	stream := sdk.Responses.NewStreaming(t.Context(), params, option.WithResponseInto(&raw))
	require.False(t, stream.Next())
	require.Error(t, stream.Err())
	s.completion(raw)
}

// search looks for a word in every database.
type search struct {
	holdfast *instance
	forms    []string
	server   map[string]*pgx.Conn
}

func newSearch(t testing.TB, holdfast *instance, word string) search {
	t.Helper()
	s := search{holdfast: holdfast, forms: formsOf(word), server: map[string]*pgx.Conn{}}
	rows, err := holdfast.database(t, "holdfast").Query(within(t, soon), `SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Greater(t, len(names), 2, "%v", names)
	for _, name := range names {
		s.server[name] = holdfast.database(t, name)
	}
	return s
}

// formsOf are a word as it is, and as it stands in base64, which depends on where in the text it is; all of them also as
// PostgreSQL shows bytes.
func formsOf(word string) []string {
	forms := []string{word}
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + word))
		forms = append(forms, encoded[(shift*8+5)/6:len(encoded)-1]) // without what depends on the neighbours
	}
	for _, form := range forms[:4] {
		forms = append(forms, hex.EncodeToString([]byte(form)))
	}
	return forms
}

// everywhere counts the rows that hold the word, by database and table.
func (s search) everywhere(t testing.TB) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, conn := range s.server {
		rows, err := conn.Query(within(t, soon), `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
			WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`)
		require.NoError(t, err)
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		for _, table := range tables {
			var n int
			query := `SELECT count(*) FROM ` + table + ` r WHERE EXISTS (SELECT FROM unnest($1::text[]) f WHERE strpos(r::text, f) > 0)`
			require.NoError(t, conn.QueryRow(within(t, soon), query, s.forms).Scan(&n), table)
			if n > 0 {
				found[name] = append(found[name], fmt.Sprintf("%s: %d", table, n))
			}
		}
	}
	return found
}

// histories counts the workflows whose history says the word, as Temporal's clients read it.
func (s search) histories(t testing.TB) (n int) {
	t.Helper()
	temporal := s.holdfast.temporal(t)
	ctx := within(t, late)
	seen := 0
	var next []byte
	for {
		page, err := temporal.ListWorkflow(ctx, &workflowservicepb.ListWorkflowExecutionsRequest{NextPageToken: next})
		require.NoError(t, err)
		for _, execution := range page.Executions {
			seen++
			if s.said(ctx, t, temporal, execution.Execution.WorkflowId, execution.Execution.RunId) {
				t.Logf("the history of %s says it", execution.Execution.WorkflowId)
				n++
			}
		}
		if next = page.NextPageToken; len(next) == 0 {
			break
		}
	}
	require.Positive(t, seen, "there is no history")
	return n
}

func (s search) said(ctx context.Context, t testing.TB, temporal sdkclient.Client, workflow, run string) bool {
	t.Helper()
	history := temporal.GetWorkflowHistory(ctx, workflow, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		text := event.String()
		for _, form := range s.forms {
			if strings.Contains(text, form) {
				return true
			}
		}
	}
	return false
}
