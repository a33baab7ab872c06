package webhook_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/alerts/webhook"
	"github.com/holdfast-dev/holdfast/llm"
)

// secrets are a vault's keys.
type secrets map[string]llm.Secret

func (s secrets) Secret(provider, name string) (llm.Secret, bool) {
	secret, ok := s[provider+"/"+name]
	return secret, ok
}

// post is what a receiver was sent.
type post struct {
	header http.Header
	body   string
}

// receiver answers with a status, and keeps what it was sent.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	posts []post
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.posts = append(r.posts, post{request.Header, string(body)})
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

// all are the posts so far.
func (r *receiver) all() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]post(nil), r.posts...)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func alert() alerts.Alert {
	return alerts.Alert{
		ID: "alert_1", Dedupe: "openai/main 7d", Kind: alerts.KindKeyExpiring, Severity: alerts.Warning, Subject: "openai/main", Title: "The key ends in 7 days",
		Text: "Make a <new> one & add it.", RaisedAt: time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC),
	}
}

func TestEachFormatIsWhatItsReaderReads(t *testing.T) {
	t.Parallel()
	r := receive(t, status(http.StatusNoContent))
	sender := webhook.NewSender([]webhook.Endpoint{{Name: "slack", URL: r.URL}, {Name: "json", URL: r.URL, Format: webhook.JSON}}, nil, nil)
	require.NoError(t, sender.Send(t.Context(), "slack", alert()))
	require.NoError(t, sender.Send(t.Context(), "json", alert()))
	require.JSONEq(t, `{"text":"*[warning] openai/main: The key ends in 7 days*\nMake a &lt;new&gt; one &amp; add it.\n_key_expiring, alert_1_"}`, r.all()[0].body)
	require.JSONEq(t, `{"type":"alert.key_expiring","timestamp":"2027-01-15T08:00:00Z","data":{"id":"alert_1","kind":"key_expiring","severity":"warning",
		"subject":"openai/main","title":"The key ends in 7 days","text":"Make a <new> one & add it.","raised_at":"2027-01-15T08:00:00Z"}}`, r.all()[1].body)
	for _, post := range r.all() {
		require.Equal(t, "application/json", post.header.Get("Content-Type"))
		require.Equal(t, "alert_1", post.header.Get("webhook-id"))
		require.Empty(t, post.header.Get("webhook-signature"))
	}
}

func TestAReceiverCanTellThatItIsUs(t *testing.T) {
	t.Parallel()
	r := receive(t, status(http.StatusOK))
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of twenty-four bytes"))
	vault := secrets{"alerts/hook": llm.Secret(secret), "alerts/url": llm.Secret(r.URL + "/services?token=x")}
	sender := webhook.NewSender([]webhook.Endpoint{{
		Name: "signed", Key: webhook.VaultKey{Provider: "alerts", Name: "url"}, Secret: webhook.VaultKey{Provider: "alerts", Name: "hook"},
	}}, vault, nil)
	require.NoError(t, sender.Send(t.Context(), "signed", alert()))
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify([]byte(r.all()[0].body), r.all()[0].header))
	require.Error(t, verifier.Verify([]byte(r.all()[0].body+" "), r.all()[0].header))
}

func TestEveryFailureSaysWhyAndNothingOfTheAddress(t *testing.T) {
	t.Parallel()
	elsewhere := receive(t, status(http.StatusOK))
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	redirecting := receive(t, http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP)
	failing := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, strings.Repeat("CANARY", 1<<16))
	})
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	vault := secrets{
		"alerts/failing": llm.Secret(failing.URL + "/CANARY"), "alerts/redirecting": llm.Secret(redirecting.URL + "/CANARY"), "alerts/gone": llm.Secret(gone.URL + "/CANARY"),
		"alerts/untrusted": llm.Secret(untrusted.URL + "/CANARY"), "alerts/plain": "http://CANARY.example.com/", "alerts/broken": "CANARY\x7f://", "alerts/unsigned": "whsec_!CANARY",
	}
	for name, want := range map[string]webhook.Error{
		"failing":     {Status: 503, Reason: "answered 503"},
		"redirecting": {Status: 307, Reason: "answered 307"},
		"gone":        {Reason: "could not be reached"},
		"untrusted":   {Reason: "has a certificate that is not trusted"},
		"plain":       {Reason: "has an address that must begin with https://, for it is a secret"},
		"broken":      {Reason: "has an address that is no URL that begins with https:// or http://"},
		"absent":      {Reason: "has no address: the vault holds no key alerts/absent that is in use"},
	} {
		sender := webhook.NewSender([]webhook.Endpoint{{Name: name, Key: webhook.VaultKey{Provider: "alerts", Name: name}}}, vault, nil)
		err := sender.Send(t.Context(), name, alert())
		var failure *webhook.Error
		require.ErrorAs(t, err, &failure, name)
		want.Webhook = name
		require.Equal(t, want, *failure, name)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "CANARY", name)
	}
	require.Empty(t, elsewhere.all(), "a redirect was followed")

	sender := webhook.NewSender([]webhook.Endpoint{{Name: "a", URL: elsewhere.URL, Secret: webhook.VaultKey{Provider: "alerts", Name: "unsigned"}}}, vault, nil)
	require.EqualError(t, sender.Send(t.Context(), "a", alert()), "webhook a cannot be signed for: its secret is not base64 behind whsec_")
	require.EqualError(t, sender.Send(t.Context(), "b", alert()), "webhook b is not in the configuration of this process")
	require.Empty(t, elsewhere.all(), "an alert went out unsigned")
}
