package mint_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/keys/mint"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
)

// against opens every kind that speaks HTTP for one server, with a request that it would be able to make.
func against(t *testing.T, address string, test func(t *testing.T, minter mint.Minter, request mint.Request)) {
	t.Helper()
	kinds := vendors()
	kinds = append(kinds, vendor{
		kind: "webhook", settings: mint.Settings{URL: address + "/hook?secret-path-1234"},
		admin: func(*testing.T, *world, bool) llm.Secret { return webhookSecret },
	})
	for _, v := range kinds {
		t.Run(v.kind, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			request := v.begin(t, w)
			if v.kind == "webhook" {
				request.Current, request.Handle = "current-key-1234567890", "h0"
			}
			if v.kind == "azure" { // the first call is for a token
				w.url = address
				request.Admin = v.admin(t, w, true)
			}
			if v.kind == "gcp" {
				request.Admin = llm.Secret(strings.ReplaceAll(request.Admin.Reveal(), w.url, address))
			}
			settings := v.settings
			settings.Kind, settings.Timeout = v.kind, 5*time.Second
			if v.kind != "webhook" {
				settings.Endpoint = address
			}
			minter, err := mint.New(settings, w.client)
			require.NoError(t, err)
			test(t, minter, request)
		})
	}
}

// each calls all three methods.
func each(ctx context.Context, minter mint.Minter, request mint.Request, check func(error)) {
	_, err := minter.Mint(ctx, request)
	check(err)
	check(minter.Abandon(ctx, request))
	check(minter.Revoke(ctx, request, request.Handle))
}

func TestNoErrorTellsASecretWhateverTheServerSays(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter, said string){
		"in an error":  func(w http.ResponseWriter, said string) { http.Error(w, said, http.StatusBadRequest) },
		"in an outage": func(w http.ResponseWriter, said string) { http.Error(w, said, http.StatusBadGateway) },
		"in a success": func(w http.ResponseWriter, said string) { _, _ = io.WriteString(w, said) },
		"in JSON": func(w http.ResponseWriter, said string) {
			_, _ = fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, said, said)
		},
		"as an XML": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, said, said)
		},
		"as a status": func(w http.ResponseWriter, said string) {
			hijack(w, "HTTP/1.1 400 "+strings.ReplaceAll(said, "\n", " ")+"\r\n\r\n")
		},
		"for a status": func(w http.ResponseWriter, said string) { hijack(w, said) },
		"as an address": func(w http.ResponseWriter, said string) {
			w.Header().Set("Location", "http://127.0.0.1:1/"+strings.ReplaceAll(said, "\n", ""))
			w.WriteHeader(http.StatusFound)
		},
		"in a header": func(w http.ResponseWriter, said string) {
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: "+strings.ReplaceAll(said, "\n", "")+"\r\n\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				said := r.Header.Get("Authorization") + " " + string(body) + " " + r.URL.String() + " " + webhookSecret + " admin-secret-1234567890"
				answer(w, said)
			}))
			t.Cleanup(server.Close)
			against(t, server.URL, func(t *testing.T, minter mint.Minter, request mint.Request) {
				each(t.Context(), minter, request, func(err error) {
					if err == nil {
						return // a webhook's revocation that was answered with 200 has succeeded
					}
					for _, secret := range []string{adminSecret, "secret-path", "bad-secret", webhookSecret, "PRIVATE KEY", "Bearer", "assertion", "Credential"} {
						require.NotContains(t, fmt.Sprintf("%v %+v", err, err), secret)
					}
					requireNoSecret(t, err, request)
				})
			})
		})
	}
}

func hijack(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	followed := make(chan string, 100)
	t.Cleanup(func() { require.Empty(t, followed) }) // when all have ended
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { followed <- r.URL.Path }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	against(t, server.URL, func(t *testing.T, minter mint.Minter, request mint.Request) {
		each(t.Context(), minter, request, func(err error) {
			require.ErrorIs(t, err, rotation.ErrRefused)
			require.ErrorContains(t, err, "HTTP 307")
		})
	})
}

func TestAnEndlessAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(" ", 32<<10)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	against(t, server.URL, func(t *testing.T, minter mint.Minter, request mint.Request) {
		_, err := minter.Mint(t.Context(), request)
		require.Error(t, err)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "it was left, and not waited for")
	})
}

func TestNobodyThereIsAnErrorThatTellsNoAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	against(t, server.URL, func(t *testing.T, minter mint.Minter, request mint.Request) {
		each(t.Context(), minter, request, func(err error) {
			require.ErrorContains(t, err, "refused")
			require.NotErrorIs(t, err, rotation.ErrRefused)
			require.NotContains(t, err.Error(), "secret-path")
			requireNoSecret(t, err, request)
		})
	})
}
