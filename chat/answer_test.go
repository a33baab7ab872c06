package chat_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/chat"
)

func TestAnAnswerGoesOnBehindTheBreak(t *testing.T) {
	t.Parallel()
	a := serve(
		t, stream(says(1, ""), says(4, "Hel"), says(6, "lo"), "break"), unheard,
		refuse(http.StatusServiceUnavailable, "temporarily_unavailable", "Not now.", ""),
		stream(says(9, " wo"), "break"), stream(says(11, "rld"), ends),
	)
	answer, s, err := read(t, a)
	require.NoError(t, err)
	require.Equal(t, "Hello world", s.out.String())
	require.Equal(t, []any{"c1", "stop"}, []any{answer.ID, answer.Finish})
	requests := a.requests()
	require.Len(t, requests, 5)
	require.Equal(t, "POST /v1/chat/completions", requests[0].method+" "+requests[0].uri)
	require.JSONEq(t, `{"model":"demo","conversation":"conv_1","stream":true,"messages":[{"role":"user","content":"hi"}]}`, requests[0].body)
	require.NotEmpty(t, requests[0].key)
	for i, place := range []string{"6", "6", "6", "9"} {
		require.Equal(t, asked{http.MethodGet, "/v1/chat/completions/c1?stream=true&starting_after=" + place + "-abcd", "", "", ""}, requests[i+1])
	}
	require.Equal(t, 2, strings.Count(s.notes.String(), "\n"), "one line for each break: %s", &s.notes)
}

func TestWhatMayNotHaveBeenAcceptedIsAskedAgainUnderItsKey(t *testing.T) {
	t.Parallel()
	a := serve(t, unheard, refuse(http.StatusBadGateway, "", "", ""), unheard, stream(says(2, "ok"), ends))
	_, s, err := read(t, a)
	require.NoError(t, err)
	require.Equal(t, "ok", s.out.String())
	requests := a.requests()
	require.Len(t, requests, 4)
	for _, request := range requests {
		require.Equal(t, requests[0], request)
	}
	require.Equal(t, 1, strings.Count(s.notes.String(), "\n"), s.notes.String())
}

func TestEachMessageHasAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	a := serve(t, stream(ends), stream(ends))
	_, _, err := read(t, a)
	require.NoError(t, err)
	_, _, err = read(t, a)
	require.NoError(t, err)
	require.NotEqual(t, a.requests()[0].key, a.requests()[1].key)
}

func TestWhatIsCutOffInItsMiddleIsToldOnce(t *testing.T) {
	t.Parallel()
	cut := says(9, "three ")
	a := serve(
		t, stream(says(4, "one "), begins("two "), "break"), stream(begins("two "), says(8, ""), cut[:len(cut)-8], "break"),
		stream(cut, "id: 12-abcd\ndata: {\"sequ"), stream(says(12, "four"), ends),
	)
	_, s, err := read(t, a)
	require.NoError(t, err)
	require.Equal(t, "one two three four", s.out.String())
	require.Contains(t, a.requests()[1].uri, "starting_after=4-abcd")
	require.Contains(t, a.requests()[2].uri, "starting_after=8-abcd")
	require.Contains(t, a.requests()[3].uri, "starting_after=9-abcd")
}

func TestAnAnswerThatBeginsAgainSaysThatWhatCameBeforeIsVoid(t *testing.T) {
	t.Parallel()
	a := serve(t, stream(says(4, "lost "), "break"), stream(restarts, begins(""), says(5, "found"), "break"), stream(ends))
	_, s, err := read(t, a)
	require.NoError(t, err)
	require.Equal(t, "lost \nfound", s.out.String())
	require.Contains(t, s.notes.String(), "what came before is void")
	require.Contains(t, a.requests()[2].uri, "starting_after=5-abcd")
}

func TestABusyConversationIsWaitedFor(t *testing.T) {
	t.Parallel()
	a := serve(t, refuse(http.StatusConflict, "conversation_busy", "Busy.", "1"), stream(says(2, "ok"), ends))
	begun := time.Now()
	_, s, err := read(t, a)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begun), time.Second, "Retry-After says when")
	require.Equal(t, "ok", s.out.String())
	require.Equal(t, "- another answer is running in this conversation: waiting for its end\n", s.notes.String())
	require.Equal(t, a.requests()[0], a.requests()[1])
}

func TestARestartingServerIsGoneOnWith(t *testing.T) {
	t.Parallel()
	const draining = "data: {\"error\":{\"message\":\"The service is restarting.\",\"code\":\"temporarily_unavailable\"}}\n\n"
	a := serve(t, stream(says(2, "so"), draining), stream(says(7, " goes"), ends))
	_, s, err := read(t, a)
	require.NoError(t, err)
	require.Equal(t, "so goes", s.out.String())
	require.Contains(t, s.notes.String(), "Holdfast is restarting")
}

func TestWhatDoesNotPassIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"invalid_api_key": "--token-file", "no_model_available": "/model", "context_length_exceeded": "/new", "invalid_value": "It is wrong.",
	} {
		a := serve(t, refuse(http.StatusServiceUnavailable, code, "It is wrong.", "5"))
		_, _, err := read(t, a)
		var refusal *chat.RefusalError
		require.ErrorAs(t, err, &refusal)
		require.ErrorContains(t, err, want, code)
		require.Len(t, a.requests(), 1)
	}
	a := serve(t, stream(says(2, "so"), "data: {\"error\":{\"message\":\"No model could answer.\",\"code\":\"no_model_available\"}}\n\n"))
	_, _, err := read(t, a)
	require.ErrorContains(t, err, "holdfast completions show c1")
}

func TestAConnectionWithoutASignOfLifeIsGivenUp(t *testing.T) {
	t.Parallel()
	a := serve(t, stream(says(2, "so"), "hang"), stream(says(7, " goes"), ends))
	s, client := screen(), a.client(t)
	client.Silence = 100 * time.Millisecond
	require.NoError(t, client.Ask(chat.Question{}, &s.Screen).Read(t.Context()))
	require.Equal(t, "so goes", s.out.String())
	require.Contains(t, s.notes.String(), "nothing has come for too long")
}

func TestAPatienceEnds(t *testing.T) {
	t.Parallel()
	a := serve(t)
	a.script = []http.HandlerFunc{unheard, unheard, unheard, unheard, unheard, unheard, unheard, unheard}
	s, client := screen(), a.client(t)
	client.Patience = 500 * time.Millisecond
	var lost *chat.LostError
	require.ErrorAs(t, client.Ask(chat.Question{}, &s.Screen).Read(t.Context()), &lost)
}

func TestAnInstanceThatHasMovedIsFound(t *testing.T) {
	t.Parallel()
	old, moved := serve(t, stream(says(2, "so"), "break")), serve(t, stream(says(7, " goes"), ends))
	s, client := screen(), old.client(t)
	where := []func() (chat.Endpoint, error){
		func() (chat.Endpoint, error) { return chat.Endpoint{URL: old.URL}, nil },
		func() (chat.Endpoint, error) { return chat.Endpoint{}, errors.New("nowhere") },
		func() (chat.Endpoint, error) { return chat.Endpoint{URL: moved.URL}, nil },
	}
	client.Locate = func() (chat.Endpoint, error) {
		now := where[0]
		where = where[min(1, len(where)-1):]
		return now()
	}
	require.NoError(t, client.Ask(chat.Question{}, &s.Screen).Read(t.Context()))
	require.Equal(t, "so goes", s.out.String())
	require.Contains(t, moved.requests()[0].uri, "starting_after=2-abcd")
}

func TestAnAnswerIsCancelledAlsoBeforeItsIDIsKnown(t *testing.T) {
	t.Parallel()
	accepted := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Holdfast-Completion-Id", "c1")
		w.WriteHeader(http.StatusAccepted)
	}
	a := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, accepted, text(`{"status":"cancelled"}`))
	s := screen()
	answer := a.client(t).Ask(chat.Question{Text: "hi"}, &s.Screen)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { cancel(chat.ErrInterrupted) })
	require.ErrorIs(t, answer.Read(ctx), chat.ErrInterrupted)
	ended, err := answer.Cancel(t.Context())
	require.NoError(t, err)
	require.True(t, ended)
	requests := a.requests()
	require.Len(t, requests, 3)
	require.Equal(t, asked{http.MethodPost, "/v1/chat/completions", requests[0].key, "respond-async", requests[0].body}, requests[1])
	require.Equal(t, "/v1/chat/completions/c1/cancel", requests[2].uri)
	require.Empty(t, s.notes.String())
}

func TestWhatModelsSayDoesNotMoveTheCursor(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a\tb\nc�[2Jd�e", chat.Visible("a\tb\r\nc\x1b[2Jd\u202ee"))
	a := serve(t, stream("data: {\"sequence_number\":3,\"choices\":[{\"delta\":{\"content\":\"x\\u001b]0;y\\u0007\"}}]}\n\n", ends))
	_, s, err := read(t, a)
	require.NoError(t, err)
	require.NotContains(t, s.out.String(), "\x1b")
}
