package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Endpoint is where the API is, and the token for it.
type Endpoint struct{ URL, Token string }

// Client asks the public API.
type Client struct {
	// Locate finds the API anew for each request: one that is started again may have another address.
	Locate func() (Endpoint, error)
	HTTP   *http.Client
	// Silence is how long nothing at all may come, not even a sign of life, until a connection is given up; 0 is [DefaultSilence].
	Silence time.Duration
	// Patience is how long a request is tried again that does not come through; 0 is [DefaultPatience].
	Patience time.Duration
}

const (
	// DefaultSilence is some times the interval at which a stream that has nothing to say gives a sign of life.
	DefaultSilence = 2 * time.Minute
	// DefaultPatience is the time that a completion has by default: what was accepted has its outcome by then.
	DefaultPatience = 10 * time.Minute
	// shortly is how long an answer of one piece may take.
	shortly = 30 * time.Second
)

// open sends a request. An answer that is no success is a *[RefusalError], and no answer a *[LostError].
func (c *Client) open(ctx context.Context, method, path string, body []byte, headers ...string) (*http.Response, error) {
	at, err := c.Locate()
	if err != nil {
		return nil, &LostError{Cause: err}
	}
	request, err := http.NewRequestWithContext(ctx, method, at.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+at.Token)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, &LostError{Cause: withoutURL(err)}
	}
	if response.StatusCode/100 != 2 {
		defer func() { _ = response.Body.Close() }()
		return nil, refusalOf(response)
	}
	return response, nil
}

// call sends a request for an answer of one piece.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, shortly)
	defer cancel()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	response, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return &LostError{Cause: err}
	}
	return json.Unmarshal(content, out)
}

// Models are the names that may be asked for, in the order of the configuration.
func (c *Client) Models(ctx context.Context) ([]string, error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/models", nil, &list); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(list.Data))
	for _, model := range list.Data {
		names = append(names, model.ID)
	}
	return names, nil
}

type conversation struct {
	ID string `json:"id"`
}

// Begin begins a conversation.
func (c *Client) Begin(ctx context.Context) (id string, err error) {
	var made conversation
	in := map[string]any{"metadata": map[string]string{"made_by": "holdfast chat"}}
	err = c.call(ctx, http.MethodPost, "/v1/conversations", in, &made)
	return made.ID, err
}

// Find says whether there is a conversation.
func (c *Client) Find(ctx context.Context, id string) error {
	var found conversation
	return c.call(ctx, http.MethodGet, "/v1/conversations/"+url.PathEscape(id), nil, &found)
}

// Said is one thing that was said in a conversation.
type Said struct {
	Role, Text string
}

// History reads the last things said, in order.
func (c *Client) History(ctx context.Context, conversation string, limit int) ([]Said, error) {
	var page struct {
		Data []struct {
			Type    string `json:"type"`
			Role    string `json:"role"`
			Name    string `json:"name"`
			Content []struct {
				Type string `json:"type"`
				Text string `json:"text"`
			} `json:"content"`
		} `json:"data"`
	}
	path := "/v1/conversations/" + url.PathEscape(conversation) + "/items?order=desc&limit=" + strconv.Itoa(limit)
	if err := c.call(ctx, http.MethodGet, path, nil, &page); err != nil {
		return nil, err
	}
	said := []Said{}
	for _, item := range slices.Backward(page.Data) {
		switch item.Type {
		case "message":
			var text strings.Builder
			for _, part := range item.Content {
				if part.Text == "" {
					part.Text = "[" + part.Type + "]"
				}
				text.WriteString(part.Text)
			}
			said = append(said, Said{Role: item.Role, Text: text.String()})
		case "reasoning":
		default:
			said = append(said, Said{Role: "tools", Text: "[" + item.Type + "] " + item.Name})
		}
	}
	return said, nil
}

// Record is what Holdfast tells of a completion, as far as it is shown.
type Record struct {
	State      string     `json:"state"`
	Provider   string     `json:"provider"`
	Model      string     `json:"model"`
	Failovers  int        `json:"failovers"`
	AcceptedAt time.Time  `json:"accepted_at"`
	FinishedAt *time.Time `json:"finished_at"`
	ServedFrom string     `json:"served_from"`
	Attempts   []struct{} `json:"attempts"`
	Replay     *struct {
		LeftOut *struct {
			Tokens int64 `json:"tokens"`
		} `json:"left_out"`
	} `json:"replay"`
}

// Record reads what has become of a completion.
func (c *Client) Record(ctx context.Context, id string) (record Record, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/holdfast/completions/"+url.PathEscape(id), nil, &record)
	return record, err
}

// withoutURL is the cause of a failed request alone: where it went is known, and may be long.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}
