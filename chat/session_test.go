package chat_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/chat"
)

type sent struct {
	Model        string `json:"model"`
	Conversation string `json:"conversation"`
	Messages     []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
}

func (a *api) sent(t *testing.T) []sent {
	t.Helper()
	var all []sent
	for _, request := range a.requests() {
		if request.method == http.MethodPost && request.body != "" {
			var one sent
			require.NoError(t, json.Unmarshal([]byte(request.body), &one))
			all = append(all, one)
		}
	}
	return all
}

func (s sent) said() string {
	texts := []string{}
	for _, message := range s.Messages {
		texts = append(texts, message.Role+": "+message.Content)
	}
	return strings.Join(texts, " | ")
}

func TestEachLineOfAPipeIsAMessage(t *testing.T) {
	t.Parallel()
	a := serve(t, stream(says(2, "one"), ends), stream(says(2, "two\n"), ends))
	s, err := chatting(t, a, "first\n\nsecond \\\nline")
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\n", s.out.String())
	require.Equal(t, "- openai/gpt-4.1, 2 attempts, 1 failover, 1.23s\n- openai/gpt-4.1, 2 attempts, 1 failover, 1.23s\n"+
		"- go on with it: holdfast chat --conversation conv_1\n", s.notes.String())
	require.Equal(t, "user: first", a.sent(t)[0].said())
	require.Equal(t, "user: second \nline", a.sent(t)[1].said())
	require.Equal(t, []string{"demo", "conv_1"}, []string{a.sent(t)[1].Model, a.sent(t)[1].Conversation})
}

func TestAnAnswerThatFailsEndsAPipeAndNotAPerson(t *testing.T) {
	t.Parallel()
	fails := refuse(http.StatusBadRequest, "invalid_value", "It is wrong.", "")
	a := serve(t, fails)
	_, err := chatting(t, a, "first\nsecond\n")
	require.ErrorContains(t, err, "It is wrong.")
	require.Len(t, a.requests(), 1)

	a = serve(t, fails, stream(says(2, "ok"), ends))
	s, err := chatting(t, a, "first\nsecond\n", person)
	require.NoError(t, err)
	require.Contains(t, s.notes.String(), "- It is wrong.\n")
	require.Equal(t, "ok\n", s.out.String())
}

func TestTheSystemMessageIsSaidOnceAConversation(t *testing.T) {
	t.Parallel()
	a := serve(t, refuse(http.StatusBadRequest, "invalid_value", "no", ""), stream(ends), stream(ends), stream(ends), stream(ends))
	_, err := chatting(t, a, "a\nb\nc\n/system Be long.\nd\n/new\ne\n", person, func(s *chat.Session) { s.System = "Be brief." })
	require.NoError(t, err)
	said := []string{}
	for _, one := range a.sent(t) {
		said = append(said, one.said())
	}
	require.Equal(t, []string{
		"system: Be brief. | user: a", "system: Be brief. | user: b", "user: c", "system: Be long. | user: d", "system: Be long. | user: e",
	}, said)
}

func TestCommandsAreObeyed(t *testing.T) {
	t.Parallel()
	a := serve(t, stream(ends))
	a.others["GET /v1/conversations/conv_1/items"] = text(`{"data":[
		{"type":"function_call","name":"get_weather"},{"type":"reasoning"},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hello"}]},
		{"type":"message","role":"user","content":[{"type":"input_image"},{"type":"input_text","text":" hi"}]}]}`)
	s, err := chatting(t, a, "/help\n/model\n/model none\n/model other:floor\n//odd\n/history\n/nothing\n/exit\nnever\n", person,
		func(s *chat.Session) { s.Conversation = "conv_1" })
	require.NoError(t, err)
	notes := s.notes.String()
	for _, want := range []string{
		"/system [TEXT]", "demo   (this one)\nother\n", "there is no model none", "from now on other:floor",
		"user: [input_image] hi\nassistant: hello\ntools: [function_call] get_weather\n", "there is no command /nothing",
	} {
		require.Contains(t, notes, want)
	}
	require.Equal(t, "user: /odd", a.sent(t)[0].said())
	require.Equal(t, "other:floor", a.sent(t)[0].Model)
	require.Len(t, a.requests(), 1)
}

func TestWhatIsNotThereIsSaidBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	a := serve(t)
	_, err := chatting(t, a, "hi\n", func(s *chat.Session) { s.Conversation = "conv_none" })
	require.ErrorContains(t, err, "holdfast conversations list")
	a.others["GET /v1/models"] = unheard
	var lost *chat.LostError
	_, err = chatting(t, a, "hi\n")
	require.ErrorAs(t, err, &lost)
	require.Empty(t, a.requests())
}

func TestCtrlCEndsTheAnswerAndNotTheChat(t *testing.T) {
	t.Parallel()
	interrupts := make(chan os.Signal, 1)
	a := serve(t, stream(says(3, "abc"), "hang"), text(`{"status":"cancelled"}`), stream(says(2, "ok"), ends))
	s, err := chatting(t, a, "first\nsecond\n", person, func(s *chat.Session) {
		s.Interrupts, s.Screen.Out = interrupts, pressing{s.Screen.Out, interrupts}
	})
	require.NoError(t, err)
	require.Contains(t, s.notes.String(), "- cancelled: neither the message nor its answer is part of the conversation\n")
	require.Equal(t, "abc\nok\n", s.out.String())
	requests := a.requests()
	require.Equal(t, "/v1/chat/completions/c1/cancel", requests[len(requests)-2].uri)
}

func TestCtrlCWhereNothingIsAnsweredLeaves(t *testing.T) {
	t.Parallel()
	interrupts := make(chan os.Signal, 1)
	in, write := io.Pipe()
	t.Cleanup(func() { _ = write.Close() })
	a := serve(t)
	a.others["GET /v1/conversations/conv_1"] = func(w http.ResponseWriter, r *http.Request) { text(`{"id":"conv_1"}`)(w, r) }
	s, err := chatting(t, a, "", person, func(s *chat.Session) {
		s.Interrupts, s.Conversation, s.Lines = interrupts, "conv_1", asking{chat.NewPiped(in, nil), interrupts}
	})
	require.NoError(t, err)
	require.Contains(t, s.notes.String(), "go on with it: holdfast chat --conversation conv_1\n")
}

// pressing presses Ctrl-C when it reads something in particular.
type pressing struct {
	io.Writer
	interrupts chan<- os.Signal
}

func (p pressing) Write(text []byte) (int, error) {
	if string(text) == "abc" {
		p.interrupts <- os.Interrupt
	}
	return p.Writer.Write(text)
}
