package mint_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/keys/mint"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// heard is a request that a webhook got.
type heard struct {
	header http.Header
	body   string
}

// hook serves a webhook that gives one answer, and tells what it heard.
func hook(t *testing.T, status int, answer string) (mint.Minter, mint.Request, func() []heard) {
	t.Helper()
	var all []heard
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all = append(all, heard{r.Header.Clone(), string(body)})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	minter, err := mint.New(mint.Settings{Kind: "webhook", URL: server.URL + "/keys"}, &http.Client{Transport: transport})
	require.NoError(t, err)
	request := mint.Request{ID: "r1", Provider: "openai", Name: "main", Admin: webhookSecret, Current: "current-key", Handle: "h0"}
	return minter, request, func() []heard { return all }
}

func TestAWebhookIsAskedAndItsAnswerTaken(t *testing.T) {
	t.Parallel()
	minter, request, said := hook(t, http.StatusOK, `{"key":"new-key","handle":"h1","expires_at":"2027-01-02T03:04:05Z"}`)
	minted, err := minter.Mint(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, mint.Minted{Key: "new-key", Handle: "h1", Former: "h0", ExpiresAt: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)}, minted)
	require.NoError(t, minter.Abandon(t.Context(), request))
	require.NoError(t, minter.Revoke(t.Context(), request, "h9"))
	_, err = minter.Mint(t.Context(), request)
	require.NoError(t, err)

	all := said()
	require.Len(t, all, 4)
	require.JSONEq(t, `{"action":"mint","rotation":"r1","provider":"openai","name":"main","handle":"h0"}`, all[0].body)
	require.JSONEq(t, `{"action":"abandon","rotation":"r1","provider":"openai","name":"main","handle":"h0"}`, all[1].body)
	require.JSONEq(t, `{"action":"revoke","rotation":"r1","provider":"openai","name":"main","handle":"h9"}`, all[2].body)
	require.Equal(t, "r1:mint", all[0].header.Get("webhook-id"))
	require.Equal(t, all[0].header.Get("webhook-id"), all[3].header.Get("webhook-id"), "a repeated request is known again")
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	other, err := standardwebhooks.NewWebhook("whsec_" + strings.Repeat("A", 32))
	require.NoError(t, err)
	for _, one := range all {
		require.NoError(t, verifier.Verify([]byte(one.body), one.header))
		require.Error(t, other.Verify([]byte(one.body), one.header))
		require.NotContains(t, one.body, webhookSecret)
		require.Equal(t, "application/json", one.header.Get("Content-Type"))
		require.Empty(t, one.header.Get("Authorization"))
	}
}

func TestAWebhookWithoutASecretIsAskedUnsigned(t *testing.T) {
	t.Parallel()
	minter, request, said := hook(t, http.StatusNoContent, "")
	request.Admin = ""
	require.NoError(t, minter.Revoke(t.Context(), request, "h0"))
	require.Empty(t, said()[0].header.Get("webhook-signature"))
	require.Equal(t, "r1:revoke", said()[0].header.Get("webhook-id"))

	request.Admin = "whsec_not base64"
	err := minter.Revoke(t.Context(), request, "h0")
	require.ErrorIs(t, err, rotation.ErrRefused)
	requireNoSecret(t, err, request)
	require.ErrorIs(t, minter.Revoke(t.Context(), request, ""), rotation.ErrRefused)
	require.Len(t, said(), 1)
}

func TestAWebhooksCredentialMayBeAnObject(t *testing.T) {
	t.Parallel()
	minter, request, _ := hook(t, http.StatusOK, `{"key":{"access_key_id":"a","secret_access_key":"b"},"handle":"h1"}`)
	minted, err := minter.Mint(t.Context(), request)
	require.NoError(t, err)
	require.True(t, json.Valid([]byte(minted.Key.Reveal())))
	require.Equal(t, "b", member(t, minted.Key, "secret_access_key"))
}

func TestAWebhooksUselessAnswerIsRefused(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing": "", "no JSON": "new-key", "two values": `{"key":"k","handle":"h"} {}`, "no key": `{"handle":"h"}`, "an empty key": `{"key":"","handle":"h"}`,
		"no handle": `{"key":"new-key"}`, "a number": `{"key":5,"handle":"h"}`, "the key in use": `{"key":"current-key","handle":"h"}`,
		"a misspelt member": `{"key":"new-key","handle":"h","expires":"2027-01-02T03:04:05Z"}`, "no time": `{"key":"new-key","handle":"h","expires_at":"soon"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			minter, request, _ := hook(t, http.StatusOK, answer)
			_, err := minter.Mint(t.Context(), request)
			require.ErrorIs(t, err, rotation.ErrRefused)
			require.NotContains(t, err.Error(), "new-key")
			requireNoSecret(t, err, request)
		})
	}
}

func TestAWebhooksStatusSaysWhetherToTryAgain(t *testing.T) {
	t.Parallel()
	for status, refused := range map[int]bool{400: true, 401: true, 404: true, 410: true, 308: true, 408: false, 409: false, 429: false, 500: false, 503: false} {
		minter, request, _ := hook(t, status, `{"key":"new-key","handle":"h1"}`)
		each(t.Context(), minter, request, func(err error) {
			require.Error(t, err, status)
			if refused {
				require.ErrorIs(t, err, rotation.ErrRefused, status)
			} else {
				require.NotErrorIs(t, err, rotation.ErrRefused, status)
			}
		})
	}
}

func TestALongAnswerOfAWebhookIsNotTaken(t *testing.T) {
	t.Parallel()
	minter, request, _ := hook(t, http.StatusOK, `{"key":"`+strings.Repeat("k", 64<<10)+`","handle":"h1"}`)
	_, err := minter.Mint(t.Context(), request)
	require.ErrorContains(t, err, "longer")
}

func TestSecretsOfARequestAreNotPrinted(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(mint.Request{Admin: llm.Secret("s3cret"), Current: "s3cret"})
	require.NoError(t, err)
	require.NotContains(t, string(text), "s3cret")
}
