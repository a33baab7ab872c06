package mint_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/holdfast-dev/holdfast/keys/mint"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	adminSecret  = "admin-secret-1234567890"
	adminAccount = "projects/p1/serviceAccounts/admin@p1.iam.gserviceaccount.com"
	adminEmail   = "admin@p1.iam.gserviceaccount.com"
	adminUser    = "AKIAADMINADMINADMIN1"
	resource     = "/subscriptions/0-1/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/ai"
)

// world is a simulated vendor with its administration.
type world struct {
	sim    *simulator.Simulator
	url    string
	client *http.Client
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{sim: simulator.New(simulator.Options{Seed: 7, AdminKeys: []string{adminSecret, adminEmail, adminUser}})}
	server := httptest.NewServer(w.sim.Administration())
	transport := &http.Transport{}
	w.url, w.client = server.URL, &http.Client{Transport: transport}
	t.Cleanup(server.Close)
	t.Cleanup(w.sim.Close)
	t.Cleanup(transport.CloseIdleConnections)
	return w
}

// accepts asks a simulated vendor whether it takes what a call of it carries.
func (w *world) accepts(t *testing.T, vendor simulator.Vendor, path, header, value string) bool {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, path, nil)
	request.Header.Set(header, value)
	recorder := httptest.NewRecorder()
	w.sim.Handler(vendor).ServeHTTP(recorder, request)
	return recorder.Code == http.StatusOK
}

// vendor is a kind of minter whose vendor is simulated.
type vendor struct {
	kind     string
	api      simulator.AdminAPI
	owner    string
	settings mint.Settings
	// admin gives the admin credential, good or bad.
	admin func(t *testing.T, w *world, good bool) llm.Secret
	// accepted says whether the vendor takes a key.
	accepted func(t *testing.T, w *world, key llm.Secret) bool
}

func vendors() []vendor {
	return []vendor{
		{
			kind: "openai", api: simulator.AdminOpenAI, owner: "proj_1", settings: mint.Settings{Project: "proj_1"},
			admin: func(_ *testing.T, _ *world, good bool) llm.Secret {
				return llm.Secret(choose(good, adminSecret, "bad-secret-1234567890"))
			},
			accepted: func(t *testing.T, w *world, key llm.Secret) bool {
				t.Helper()
				return w.accepts(t, simulator.OpenAI, "/v1/models", "Authorization", "Bearer "+key.Reveal())
			},
		},
		{
			kind: "aws_iam", api: simulator.AdminAWS, owner: "caller", settings: mint.Settings{User: "caller"},
			admin: func(_ *testing.T, _ *world, good bool) llm.Secret {
				return llm.Secret(`{"access_key_id":"` + choose(good, adminUser, "AKIABADBADBADBADBAD1") + `","secret_access_key":"bad-secret-1234567890"}`)
			},
			accepted: func(t *testing.T, w *world, key llm.Secret) bool {
				t.Helper()
				return w.accepts(t, simulator.Bedrock, "/foundation-models", "Authorization", "AWS4-HMAC-SHA256 Credential="+member(t, key, "access_key_id")+"/x")
			},
		},
		{
			kind: "azure", api: simulator.AdminAzure, owner: resource, settings: mint.Settings{Resource: resource},
			admin: func(_ *testing.T, w *world, good bool) llm.Secret {
				return llm.Secret(`{"tenant_id":"t1","client_id":"c1","client_secret":"` + choose(good, adminSecret, "bad-secret-1234567890") +
					`","authority":"` + w.url + `"}`)
			},
			accepted: func(t *testing.T, w *world, key llm.Secret) bool {
				t.Helper()
				return w.accepts(t, simulator.AzureOpenAI, "/openai/v1/models", "Api-Key", key.Reveal())
			},
		},
		{
			kind: "gcp", api: simulator.AdminGCP, owner: "projects/p1/serviceAccounts/caller@p1.iam.gserviceaccount.com",
			admin: func(t *testing.T, w *world, good bool) llm.Secret {
				t.Helper()
				account := choose(good, adminAccount, "projects/p1/serviceAccounts/other@p1.iam.gserviceaccount.com")
				return llm.Secret(w.sim.Administer(simulator.AdminGCP, account, w.url).Key)
			},
			accepted: func(t *testing.T, w *world, key llm.Secret) bool {
				t.Helper()
				config, err := google.JWTConfigFromJSON([]byte(key.Reveal()), "https://www.googleapis.com/auth/cloud-platform")
				require.NoError(t, err)
				token, err := config.TokenSource(contextWith(t, w)).Token()
				if err != nil {
					return false
				}
				return w.accepts(t, simulator.VertexAI, "/v1/publishers/google/models", "Authorization", "Bearer "+token.AccessToken)
			},
		},
	}
}

func choose(good bool, one, other string) string {
	if good {
		return one
	}
	return other
}

func contextWith(t *testing.T, w *world) context.Context {
	t.Helper()
	return context.WithValue(t.Context(), oauth2.HTTPClient, w.client)
}

func eachVendor(t *testing.T, test func(t *testing.T, w *world, v vendor)) {
	t.Helper()
	for _, v := range vendors() {
		t.Run(v.kind, func(t *testing.T) {
			t.Parallel()
			test(t, setup(t), v)
		})
	}
}

// open makes the vendor's minter.
func (v vendor) open(t *testing.T, w *world, timeout time.Duration) mint.Minter {
	t.Helper()
	settings := v.settings
	settings.Kind, settings.Endpoint, settings.Timeout = v.kind, w.url, timeout
	minter, err := mint.New(settings, w.client)
	require.NoError(t, err)
	return minter
}

// begin has a rotation begin of a key that the vendor knows.
func (v vendor) begin(t *testing.T, w *world) mint.Request {
	t.Helper()
	current := w.sim.Administer(v.api, v.owner, w.url)
	return mint.Request{
		ID: "rotation-1", Provider: "p", Name: "main", Admin: v.admin(t, w, true), Current: llm.Secret(current.Key), Handle: current.Handle,
		Began: time.Now(),
	}
}

// member reads a member of a credential that is JSON.
func member(t *testing.T, key llm.Secret, name string) string {
	t.Helper()
	var members map[string]string
	require.NoError(t, json.Unmarshal([]byte(key.Reveal()), &members))
	return members[name]
}

// requireNoSecret looks for secrets in an error, and in what it wraps.
func requireNoSecret(t *testing.T, err error, request mint.Request) {
	t.Helper()
	require.Error(t, err)
	for _, secret := range []llm.Secret{request.Admin, request.Current} {
		pieces := []string{secret.Reveal()}
		var members map[string]string
		if json.Unmarshal([]byte(secret.Reveal()), &members) == nil {
			pieces = []string{members["secret_access_key"], members["client_secret"], members["private_key"], members["secret"]}
		}
		for _, piece := range pieces {
			if piece != "" {
				require.NotContains(t, err.Error(), piece)
			}
		}
	}
}
