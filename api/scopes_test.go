package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/keys"
)

// rotated is a box of content keys.
type rotated struct{}

func (rotated) Rotate(context.Context) (string, error) { return "ck_1", nil }

// emptyVault holds nothing and takes nothing.
type emptyVault struct{ api.KeyVault }

func (emptyVault) List(context.Context) ([]keys.Info, error) { return nil, nil }

// office is the whole admin API on a real database.
type office struct {
	*operators
	root string
	pool *pgxpool.Pool
	log  *log
}

func openOffice(t *testing.T) *office {
	t.Helper()
	pool := pgtest.New(t)
	root, err := access.LoadAdminToken(filepath.Join(t.TempDir(), "admin-token"))
	require.NoError(t, err)
	o := &office{
		operators: &operators{token: root.Secret().Reveal(), desk: &desk{put: map[failover.Domain]failover.Health{}}, routes: &explainer{}, cache: &kept{}},
		root:      root.Secret().Reveal(), pool: pool, log: &log{},
	}
	o.handler = api.NewAdmin(api.AdminConfig{
		Token: root, AdminTokens: access.NewAdminTokens(pool), Vault: emptyVault{}, ContentKeys: rotated{}, Tokens: access.NewStore(pool, nil),
		Record: store.New(pool), Conversations: conversations.NewStore(pool), Routes: o.routes, Providers: o.desk, Cache: o.cache,
		Audit: audit.NewLog(pool), Alerts: alerts.NewStore(pool), Webhooks: []string{"slack"},
		Metrics:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }),
		Simulator: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }),
		Logger:    slog.New(slog.NewJSONHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return o
}

// grant makes an admin token and gives it in clear.
func (o *office) grant(t *testing.T, name string, scopes ...access.Scope) string {
	t.Helper()
	_, secret, err := access.NewAdminTokens(o.pool).Create(t.Context(), name, scopes, nil)
	require.NoError(t, err)
	return secret.Reveal()
}

// events are what the audit log says, the latest first, as actor, action and subject.
func (o *office) events(t *testing.T) []string {
	t.Helper()
	found, err := audit.List(t.Context(), o.pool, audit.Filter{Limit: 100})
	require.NoError(t, err)
	list := make([]string, len(found))
	for i, event := range found {
		list[i] = event.Actor + " " + event.Action + " " + event.Subject
	}
	return list
}

func message(object map[string]any) string {
	failure, _ := object["error"].(map[string]any)
	text, _ := failure["message"].(string)
	return text
}

// Every route has a scope: without it a token does not get in, and with it alone it does.
func TestEveryRouteOfTheAdminAPIHasItsScope(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	engine, ok := o.handler.(*gin.Engine)
	require.True(t, ok)
	without := map[access.Scope]string{} // tokens that lack one scope
	for i, scope := range access.Scopes() {
		var others []access.Scope
		for _, other := range access.Scopes() {
			if other != scope {
				others = append(others, other)
			}
		}
		without[scope] = o.grant(t, fmt.Sprintf("without-%d", i), others...)
	}
	with := map[access.Scope]string{}
	for i, scope := range access.Scopes() {
		with[scope] = o.grant(t, fmt.Sprintf("with-%d", i), scope)
	}
	// A route may ask for one scope that it does not say here: it is found by asking without each.
	parameter, used := regexp.MustCompile(`[:*][a-z]+`), map[access.Scope]bool{}
	for _, route := range engine.Routes() {
		if route.Path == "/healthz" || route.Method == http.MethodConnect || route.Method == http.MethodHead {
			continue // open to all; and answers without a body
		}
		path := parameter.ReplaceAllString(route.Path, "x")
		var needed []access.Scope
		for _, scope := range access.Scopes() {
			o.token = without[scope]
			if status, object := o.do(t, route.Method, path, `{}`); status == http.StatusForbidden {
				require.Equal(t, "insufficient_scope", code(object))
				require.Equal(t, "This admin token does not have the scope "+string(scope)+".", message(object))
				needed = append(needed, scope)
			}
		}
		require.Len(t, needed, 1, "%s %s needs no scope, or several", route.Method, route.Path)
		used[needed[0]] = true
		o.token = with[needed[0]]
		status, _ := o.do(t, route.Method, path, `{}`)
		require.NotContains(t, []int{http.StatusForbidden, http.StatusUnauthorized}, status, "%s %s", route.Method, route.Path)
		if route.Method == http.MethodGet && needed[0] != access.ScopeSimulator && needed[0] != access.ScopeAdminTokensWrite {
			require.NotContains(t, string(needed[0]), ":write", "%s is read with a scope to write", route.Path)
		}
		o.token = "hfadm_wrong"
		status, _ = o.do(t, route.Method, path, `{}`)
		require.Equal(t, http.StatusUnauthorized, status, "%s %s", route.Method, route.Path)
	}
	require.Len(t, used, len(access.Scopes()), "a scope opens nothing")
}

func TestATokenMakesNoneThatMayDoMoreOrLastsLonger(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	expires := time.Now().Add(time.Hour).UTC()
	status, made := o.do(t, http.MethodPost, "/admin/admin-tokens", `{"name":"lead","scopes":["admin-tokens:write","keys:read"],"expires_at":"`+expires.Format(time.RFC3339)+`"}`)
	require.Equal(t, http.StatusOK, status)
	o.token, _ = made["token"].(string)

	status, object := o.do(t, http.MethodPost, "/admin/admin-tokens", `{"name":"more","scopes":["keys:read","keys:write"],"expires_at":"`+expires.Add(-time.Minute).Format(time.RFC3339)+`"}`)
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, "This admin token does not have the scope keys:write.", message(object))
	for _, until := range []string{"", `,"expires_at":"` + expires.Add(time.Hour).Format(time.RFC3339) + `"`} {
		status, object = o.do(t, http.MethodPost, "/admin/admin-tokens", `{"name":"longer","scopes":["keys:read"]`+until+`}`)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, message(object), "outlives")
	}
	status, made = o.do(t, http.MethodPost, "/admin/admin-tokens", `{"name":"less","scopes":["keys:read"],"expires_at":"`+expires.Add(-time.Minute).Format(time.RFC3339)+`"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []string{"token:lead admin_token.create less", "root admin_token.create lead"}, o.events(t))

	status, object = o.do(t, http.MethodPost, "/admin/admin-tokens", `{"name":"less","scopes":["keys:read"],"expires_at":"`+expires.Add(-time.Minute).Format(time.RFC3339)+`"}`)
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "admin_token_exists", code(object))

	lead := o.token
	o.token, _ = made["token"].(string)
	status, _ = o.do(t, http.MethodGet, "/admin/keys", "")
	require.Equal(t, http.StatusOK, status)
	status, object = o.do(t, http.MethodPost, "/admin/keys", `{}`)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, message(object), "keys:write")

	o.token = lead
	id, _ := made["id"].(string)
	status, _ = o.do(t, http.MethodPost, "/admin/admin-tokens/"+id+"/revoke", "")
	require.Equal(t, http.StatusOK, status)
	status, _ = o.do(t, http.MethodPost, "/admin/admin-tokens/adm_none/revoke", "")
	require.Equal(t, http.StatusNotFound, status)
	o.token, _ = made["token"].(string)
	status, _ = o.do(t, http.MethodGet, "/admin/keys", "")
	require.Equal(t, http.StatusUnauthorized, status)
	o.token = o.root
	for body, param := range map[string]string{
		`{"name":"A","scopes":["keys:read"]}`: "name", `{"name":"a"}`: "scopes", `{"name":"a","scopes":["all"]}`: "scopes",
		`{"name":"a","scopes":["keys:read"],"expires_at":"2020-01-01T00:00:00Z"}`: "expires_at",
	} {
		status, object = o.do(t, http.MethodPost, "/admin/admin-tokens", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		failure, _ := object["error"].(map[string]any)
		require.Equal(t, param, failure["param"], body)
	}
	_, list := o.do(t, http.MethodGet, "/admin/admin-tokens", "")
	require.Len(t, list["data"], 2)
}

func TestATestAlertNamesWhoIsTold(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	_, raised := o.do(t, http.MethodPost, "/admin/alerts/test", "")
	require.Equal(t, []any{"slack"}, raised["webhooks"])
	alert, _ := raised["alert"].(map[string]any)
	_, list := o.do(t, http.MethodGet, "/admin/alerts?limit=1", "")
	data, _ := list["data"].([]any)
	require.Len(t, data, 1)
	first, _ := data[0].(map[string]any)
	require.Equal(t, alert["id"], first["id"])
	require.Equal(t, []any{}, first["deliveries"])
}

func TestNoAdminTokenIsToldAgain(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	_, made := o.do(t, http.MethodPost, "/admin/admin-tokens", `{"name":"ci","scopes":["keys:read"]}`)
	secret, _ := made["token"].(string)
	require.NotEmpty(t, secret)
	var said bytes.Buffer
	ask := func(token, method, path, body string) {
		request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+token)
		recorder := httptest.NewRecorder()
		o.handler.ServeHTTP(recorder, request)
		said.Write(recorder.Body.Bytes())
		fmt.Fprintf(&said, "%v", recorder.Header())
	}
	for _, token := range []string{o.root, secret, secret + "x", secret[:len(secret)-1]} {
		ask(token, http.MethodGet, "/admin/keys", "")
		ask(token, http.MethodPost, "/admin/keys", `{"key":`)
		ask(token, http.MethodGet, "/admin/admin-tokens", "")
		ask(token, http.MethodPost, "/admin/admin-tokens", `{"name":"ci","scopes":["keys:read"]}`)
		ask(token, http.MethodGet, "/admin/audit", "")
		ask(token, http.MethodGet, "/metrics", "")
	}
	rows, err := o.pool.Query(t.Context(), `SELECT t::text FROM audit_events t UNION ALL SELECT t::text FROM admin_tokens t`)
	require.NoError(t, err)
	for rows.Next() {
		var row string
		require.NoError(t, rows.Scan(&row))
		said.WriteString(row)
	}
	require.NoError(t, rows.Err())
	said.WriteString(o.log.String())
	require.Contains(t, said.String(), "admin_token.create")
	for what, canary := range map[string]string{"root": o.root, "admin": secret} {
		require.NotContains(t, said.String(), canary[6:len(canary)-1], what)
	}
}
