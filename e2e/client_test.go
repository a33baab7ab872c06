package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// client calls the API as an application would.
type client struct {
	base  string
	token string
	http  *http.Client
}

func newClient(base, token string) client {
	return client{base: base, token: token, http: &http.Client{
		Timeout: late, Transport: &http.Transport{MaxIdleConnsPerHost: 100, IdleConnTimeout: time.Minute},
	}}
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request. The error is the connection's; every status is a reply.
func (c client) do(ctx context.Context, method, path string, body any, headers ...string) (reply, error) {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: content}, err
}

// ask is a chat completion to be asked for.
type ask struct {
	route        string
	prompt       string
	key          string
	conversation string
	async        bool
}

// send posts the completion.
func (c client) send(ctx context.Context, a ask) (reply, error) {
	body := map[string]any{
		"model": a.route, "messages": []map[string]string{{"role": "user", "content": a.prompt}},
	}
	if a.conversation != "" {
		body["conversation"] = a.conversation
	}
	var headers []string
	if a.key != "" {
		headers = append(headers, "Idempotency-Key", a.key)
	}
	if a.async {
		headers = append(headers, "Prefer", "respond-async")
	}
	return c.do(ctx, http.MethodPost, "/v1/chat/completions", body, headers...)
}

// mustSend posts the completion and requires an answer.
func (c client) mustSend(t testing.TB, a ask) reply {
	t.Helper()
	got, err := c.send(within(t, late), a)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	return got
}

// get reads JSON; the status must be 200.
func (c client) get(t testing.TB, path string, into any) {
	t.Helper()
	got, err := c.do(within(t, late), http.MethodGet, path, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.status, "GET %s: %s", path, got.body)
	require.NoError(t, json.Unmarshal(got.body, into))
}

// id is the id of the completion that the reply is about.
func (r reply) id() string { return r.header.Get("X-Holdfast-Completion-Id") }

// text is the answer's text.
func (r reply) text(t testing.TB) string {
	t.Helper()
	var completion struct {
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	require.NoError(t, json.Unmarshal(r.body, &completion), "%s", r.body)
	require.Len(t, completion.Choices, 1, "%s", r.body)
	return completion.Choices[0].Message.Content
}

// record is what Holdfast tells of a completion.
type record struct {
	ID           string     `json:"id"`
	WorkflowID   string     `json:"workflow_id"`
	Conversation string     `json:"conversation"`
	State        string     `json:"state"`
	Epoch        int        `json:"epoch"`
	FinishedAt   *time.Time `json:"finished_at"`
	Provider     string     `json:"provider"`
	Failovers    int        `json:"failovers"`
	ServedFrom   string     `json:"served_from"`
	Attempts     []attempt  `json:"attempts"`
}

type attempt struct {
	Number        int    `json:"number"`
	Epoch         int    `json:"epoch"`
	State         string `json:"state"`
	Provider      string `json:"provider"`
	KeyName       string `json:"key_name"`
	ChosenBecause string `json:"chosen_because"`
	ErrorKind     string `json:"error_kind"`
	HTTPStatus    int    `json:"http_status"`
	Decision      string `json:"decision"`
	Reason        string `json:"reason"`
	Usage         struct {
		InputTokens  int64 `json:"input_tokens"`
		OutputTokens int64 `json:"output_tokens"`
	} `json:"usage"`
}

// record reads one completion's record.
func (c client) record(t testing.TB, id string) record {
	t.Helper()
	var found record
	c.get(t, "/v1/holdfast/completions/"+id, &found)
	return found
}

// recorded lists the ids of all completions in the state; of every state if it is empty.
func (c client) recorded(t testing.TB, state string) []string {
	t.Helper()
	var ids []string
	for after, more := "", true; more; {
		var page struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
			HasMore bool   `json:"has_more"`
			LastID  string `json:"last_id"`
		}
		c.get(t, fmt.Sprintf("/v1/holdfast/completions?limit=100&state=%s&after=%s", state, after), &page)
		for _, entry := range page.Data {
			ids = append(ids, entry.ID)
		}
		after, more = page.LastID, page.HasMore
	}
	return ids
}

// newConversation makes an empty conversation.
func (c client) newConversation(t testing.TB) string {
	t.Helper()
	got, err := c.do(within(t, late), http.MethodPost, "/v1/conversations", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	var made struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal(got.body, &made))
	return made.ID
}

// turns lists the conversation as "role: text", oldest first.
func (c client) turns(t testing.TB, conversation string) []string {
	t.Helper()
	var page struct {
		Data []struct {
			Role    string `json:"role"`
			Content []struct {
				Text string `json:"text"`
			} `json:"content"`
		} `json:"data"`
	}
	c.get(t, "/v1/conversations/"+conversation+"/items?order=asc&limit=100", &page)
	var turns []string
	for _, item := range page.Data {
		require.Len(t, item.Content, 1)
		turns = append(turns, item.Role+": "+item.Content[0].Text)
	}
	return turns
}
