package simulator_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// words are what a model of OpenAI's or Ollama's, or of Mistral's, said.
func words(t *testing.T, got answer) string {
	t.Helper()
	require.Equal(t, 200, got.status, "%s", got.body)
	var body struct {
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
			FinishReason string `json:"finish_reason"`
		} `json:"choices"`
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
	}
	require.NoError(t, json.Unmarshal(got.body, &body))
	if len(body.Choices) == 0 {
		return body.Message.Content
	}
	require.Equal(t, "stop", body.Choices[0].FinishReason)
	return body.Choices[0].Message.Content
}

// begun is a request that ends with an answer begun, or with the user's words behind it.
func begun(model, user, said, more string) string {
	text := func(s string) string { quoted, _ := json.Marshal(s); return string(quoted) }
	messages := fmt.Sprintf(`{"role":"user","content":%s},{"role":"assistant","content":%s}`, text(user), text(said))
	if more != "" {
		messages += fmt.Sprintf(`,{"role":"user","content":%s}`, text(more))
	}
	return fmt.Sprintf(`{"model":%q,"stream":false,"messages":[%s]}`, model, messages)
}

func TestAnAnswerIsGoneOnWithOnRequest(t *testing.T) {
	t.Parallel()
	const full = "[openai/gpt-4.1] You said: one two three"
	for name, test := range map[string]struct {
		how             simulator.Continuation
		said, more, got string
		continues       bool
	}{
		"own words":                  {"", "[openai/gpt-4.1] You said: one t", "go on", "wo three", true},
		"another's words":            {"", "[anthropic/claude-opus-5] You said: one", "go on", " two three", true},
		"without a tag":              {"", "You sa", "go on", "id: one two three", true},
		"a blank at the end":         {"", "[gemini/x] You said: ", "go on", "one two three", true},
		"more blanks than there are": {"", "[gemini/x] You said:\n ", "go on", "one two three", true},
		"the tag alone":              {"", "[gemini/x] ", "go on", "You said: one two three", true},
		"the tag without its blank":  {"", "[gemini/x]", "go on", " You said: one two three", true},
		"half a tag":                 {"", "[gemini/", "go on", full, true},
		"repeated":                   {simulator.ContinuationRepeat, "[gemini/x] You said: one", "go on", full, true},
		"overlapping":                {simulator.ContinuationOverlap, "[gemini/x] You said: one two", "go on", " said: one two three", true},
		"overlapping from the start": {simulator.ContinuationOverlap, "[gemini/x] You", "go on", "You said: one two three", true},
		"other words":                {"", "[openai/gpt-4.1] Hm", "go on", "[openai/gpt-4.1] You said: go on", false},
		"a whole answer":             {"", full, "go on", "[openai/gpt-4.1] You said: go on", false},
		"no request to go on":        {"", "[openai/gpt-4.1] You said: one", "", full, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, simulator.OpenAI, simulator.Options{RecordBodies: true, Behaviour: simulator.Behaviour{Continuation: test.how}})
			require.Equal(t, test.got, words(t, s.post(t, "/v1/chat/completions", begun("gpt-4.1", "one two three", test.said, test.more))))
			call := s.sim.Calls(simulator.OpenAI)[0]
			require.Equal(t, test.continues, call.Continues)
			if test.more != "" {
				require.Equal(t, test.more, call.Text, "what was sent is recorded")
			}
		})
	}
}

func TestAnAnswerThatEndsTheConversationIsGoneOnWith(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ said, ollama, mistral string }{
		"begun": {"[openai/x] You said: one", " two", "[openai/x] You said: one two"},
		"whole": {"[openai/x] You said: one two", "", "[openai/x] You said: one two"},
		"blank": {"[openai/x] You said: one ", "two", "[openai/x] You said: one two"},
		"other": {"{", "[ollama/m] You said: one two", "{[mistral/m] You said: one two"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := play(t, simulator.Ollama, simulator.Options{})
			require.Equal(t, test.ollama, words(t, o.post(t, "/api/chat", begun("m", "one two", test.said, ""))))
			require.True(t, o.sim.Calls(simulator.Ollama)[0].Continues)
			m := play(t, simulator.Mistral, simulator.Options{})
			quoted, _ := json.Marshal(test.said)
			body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"one two"},{"role":"assistant","content":%s,"prefix":true}]}`, quoted)
			require.Equal(t, test.mistral, words(t, m.post(t, "/v1/chat/completions", body)), "Mistral says the beginning again")
		})
	}
}

func TestTheAnswerHookGoesOn(t *testing.T) {
	t.Parallel()
	s := play(t, simulator.OpenAI, simulator.Options{Answer: func(call simulator.Call) simulator.Answer {
		return simulator.Answer{Text: "About " + call.Text + "."}
	}})
	require.Equal(t, "t cats.", words(t, s.post(t, "/v1/chat/completions", begun("gpt-4.1", "cats", "Abou", "go on"))))
	require.Equal(t, "About dogs.", words(t, s.post(t, "/v1/chat/completions", begun("gpt-4.1", "cats", "About cats.", "dogs"))))
	calls := s.sim.Calls(simulator.OpenAI)
	require.True(t, calls[0].Continues)
	require.False(t, calls[1].Continues)
}

func TestAnAnswerToAToolIsGoneOnWith(t *testing.T) {
	t.Parallel()
	s := play(t, simulator.OpenAI, simulator.Options{})
	body := `{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"},` +
		`{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"c","content":"sunny days"},{"role":"assistant","content":"The tool answered: sun"},{"role":"user","content":"go on"}]}`
	require.Equal(t, "ny days", words(t, s.post(t, "/v1/chat/completions", body)))
}
