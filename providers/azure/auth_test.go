package azure_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/azure"
	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
)

const principal = llm.Secret(`{"tenant_id":"tenant","client_id":"client","client_secret":"s3cr&t"}`)

func contains(body []byte, text string) bool { return bytes.Contains(body, []byte(text)) }

// recorded keeps what is sent.
type recorded struct {
	next   http.RoundTripper
	mu     sync.Mutex
	bodies [][]byte
}

func (r *recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.bodies = append(r.bodies, body)
	r.mu.Unlock()
	req.Body = io.NopCloser(bytes.NewReader(body))
	return r.next.RoundTrip(req)
}

// cloud is Azure and Entra: it gives out numbered tokens, and refuses as many as it is told to.
type cloud struct {
	mu      sync.Mutex
	entra   []string // the token requests: address and form
	calls   []string // the credentials of calls
	refuse  int
	answer  []byte
	kind    string
	failing string // what the token endpoint answers in place of a token
}

func (c *cloud) RoundTrip(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	if strings.Contains(req.URL.Path, "/oauth2/") {
		c.entra = append(c.entra, req.URL.String()+" "+string(body))
		if c.failing != "" {
			return reply(req, http.StatusUnauthorized, "application/json", c.failing), nil
		}
		return reply(req, http.StatusOK, "application/json", fmt.Sprintf(`{"token_type":"Bearer","expires_in":3599,"access_token":"token-%d"}`, len(c.entra))), nil
	}
	c.calls = append(c.calls, req.Header.Get("Authorization")+req.Header.Get("Api-Key"))
	if len(c.calls) <= c.refuse {
		return reply(req, http.StatusUnauthorized, "application/json", `{"error":{"code":"401","message":"Access token has expired."}}`), nil
	}
	return reply(req, http.StatusOK, c.kind, string(c.answer)), nil
}

func reply(req *http.Request, status int, kind, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {kind}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}

func TestAServicePrincipalGetsATokenOnce(t *testing.T) {
	t.Parallel()
	c := &cloud{answer: good(t), kind: "application/json"}
	provider := open(t, "https://x.openai.azure.com", &http.Client{Transport: c})
	for range 3 {
		_, err := provider.Complete(t.Context(), principal, providertest.Hello(model))
		require.NoError(t, err)
	}
	require.Equal(t, []string{"https://login.microsoftonline.com/tenant/oauth2/v2.0/token client_id=client&client_secret=s3cr%26t&grant_type=client_credentials&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"}, c.entra)
	require.Equal(t, []string{"Bearer token-1", "Bearer token-1", "Bearer token-1"}, c.calls)
	sovereign := llm.Secret(`{"tenant_id":"t/../x","client_id":"c","client_secret":"s","authority":"https://login.microsoftonline.us/","scope":"https://cognitiveservices.azure.us/.default"}`)
	_, err := provider.Complete(t.Context(), sovereign, providertest.Hello(model))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(c.entra[1], "https://login.microsoftonline.us/t%2F..%2Fx/oauth2/v2.0/token "), c.entra[1])
	require.Equal(t, "Bearer token-2", c.calls[3])
}

func TestARefusedTokenIsGotAnewOnce(t *testing.T) {
	t.Parallel()
	for _, streamed := range []bool{false, true} {
		for refusals, want := range map[int]llm.Kind{0: "", 1: "", 2: llm.KindCredential, 9: llm.KindCredential} {
			c := &cloud{answer: good(t), kind: "application/json", refuse: refusals}
			if streamed {
				c.answer, c.kind = file(t, "testdata/stream/text.sse"), "text/event-stream"
			}
			provider := open(t, "https://x.openai.azure.com", &http.Client{Transport: c})
			var err error
			if streamed {
				_, err = llm.Collect(provider.Stream(t.Context(), principal, providertest.Hello(model)))
			} else {
				_, err = provider.Complete(t.Context(), principal, providertest.Hello(model))
			}
			if want == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, want, llm.KindOf(err))
				require.Contains(t, err.Error(), "azure:")
			}
			require.Len(t, c.calls, min(refusals+1, 2))
			require.Len(t, c.entra, min(refusals+1, 2))
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	jwt := "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln"
	for key, want := range map[llm.Secret]string{
		"0123456789abcdef":      "0123456789abcdef",
		"eyJnot-a-token":        "eyJnot-a-token",
		llm.Secret(jwt):         "Bearer " + jwt,
		"Bearer opaque":         "Bearer opaque",
		"  " + principal + "\n": "Bearer token-1",
		"":                      "",
	} {
		c := &cloud{answer: good(t), kind: "application/json"}
		_, err := open(t, "https://x.openai.azure.com", &http.Client{Transport: c}).Complete(t.Context(), key, providertest.Hello(model))
		require.NoError(t, err)
		require.Equal(t, []string{want}, c.calls)
	}
}

func TestCredentialsThatCannotBe(t *testing.T) {
	t.Parallel()
	c := &cloud{answer: good(t), kind: "application/json"}
	provider := open(t, "https://x.openai.azure.com", &http.Client{Transport: c})
	for _, key := range []llm.Secret{
		`{`, `{}`, `{"tenant_id":"t","client_id":"c"}`, `{"tenant_id":1}`,
		`{"tenant_id":"t","client_id":"c","client_secret":"s3cret","authority":"http://login.example"}`,
		`{"tenant_id":"t","client_id":"c","client_secret":"s3cret","authority":"https://u:p@login.example"}`,
	} {
		_, err := provider.Complete(t.Context(), key, providertest.Hello(model))
		require.Equal(t, llm.KindCredential, llm.KindOf(err), key.Reveal())
		require.NotContains(t, err.Error(), "s3cret")
	}
	require.Empty(t, c.entra)
	require.Empty(t, c.calls)
}

func TestARefusedPrincipalIsACredentialError(t *testing.T) {
	t.Parallel()
	c := &cloud{failing: `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided s3cr&t"}`}
	_, err := open(t, "https://x.openai.azure.com", &http.Client{Transport: c}).Complete(t.Context(), principal, providertest.Hello(model))
	var e *llm.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, llm.KindCredential, e.Kind)
	require.Equal(t, "azure", e.Provider)
	require.Equal(t, "invalid_client", e.Code)
	text, marshalErr := json.Marshal(e)
	require.NoError(t, marshalErr)
	require.NotContains(t, string(text)+fmt.Sprintf("%+v", err), "s3cr")
	require.Empty(t, c.calls)
	require.Len(t, c.entra, 1)
	_, err = llm.Collect(open(t, "https://x.openai.azure.com", &http.Client{Transport: c}).Stream(t.Context(), principal, providertest.Hello(model)))
	require.Contains(t, err.Error(), "azure:")
}

func TestEmbeddingsTakeTokensToo(t *testing.T) {
	t.Parallel()
	c := &cloud{answer: []byte(`{"data":[{"embedding":[1]}]}`), kind: "application/json", refuse: 1}
	provider := opened(t, azure.Config{BaseURL: "https://x.openai.azure.com", HTTPClient: &http.Client{Transport: c}})
	_, err := provider.Embed(t.Context(), principal, llm.Request{Model: "e", Embed: &llm.Embed{Texts: []string{"a"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer token-1", "Bearer token-2"}, c.calls)
}
