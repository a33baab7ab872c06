package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/api"
	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.knows("openai")
	items := []conversations.Item{{Message: llm.Message{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("a whispered question")}}}}
	conversation, err := conversations.NewStore(o.pool).Create(t.Context(), "acme", nil, items)
	require.NoError(t, err)
	o.token = o.grant(t, "ann", access.Scopes()...)
	_, token := o.do(t, http.MethodPost, "/admin/tokens", `{"tenant":"acme","name":"app"}`)
	tokenID, _ := token["id"].(string)
	changes := []struct{ method, path, body, event string }{
		{http.MethodPost, "/admin/tokens/" + tokenID + "/revoke", "", "token.revoke " + tokenID},
		{http.MethodPost, "/admin/content-keys", "", "content_key.rotate ck_1"},
		{http.MethodPost, "/admin/providers/open", `{"domain":"openai","reason":"maintenance"}`, "provider.open openai"},
		{http.MethodPost, "/admin/providers/hold", `{"domain":"openai","reason":"watching"}`, "provider.hold openai"},
		{http.MethodPost, "/admin/providers/close", `{"domain":"openai","reason":"works"}`, "provider.close openai"},
		{http.MethodDelete, "/admin/cache?route=demo", "", "cache.clear demo"},
		{http.MethodDelete, "/admin/cache", "", "cache.clear all routes"},
		{http.MethodDelete, "/admin/conversations/" + conversation.ID, "", "conversation.erase " + conversation.ID},
		{http.MethodDelete, "/admin/users?tenant=acme&user=a+whispered+name", "", "user.erase acme/"},
		{http.MethodPost, "/admin/alerts/test", "", "alert.test alert_"},
		{http.MethodPost, "/admin/admin-tokens", `{"name":"ci","scopes":["keys:read"]}`, "admin_token.create ci"},
	}
	for _, change := range changes {
		before := len(o.events(t))
		status, object := o.do(t, change.method, change.path, change.body)
		require.Equal(t, http.StatusOK, status, "%s: %v", change.path, object)
		after := o.events(t)
		require.Len(t, after, before+1, change.path)
		require.True(t, strings.HasPrefix(after[0], "token:ann "+change.event), "%s: %s", change.path, after[0])
	}
	_, page := o.do(t, http.MethodGet, "/admin/audit?subject=openai&actor=token:ann&limit=2", "")
	require.Equal(t, true, page["has_more"])
	text, err := json.Marshal(page["data"])
	require.NoError(t, err)
	require.Contains(t, string(text), `"action":"provider.close"`)
	require.Contains(t, string(text), `"reason":"watching"`)
	last, _ := page["last_id"].(string)
	_, page = o.do(t, http.MethodGet, "/admin/audit?subject=openai&before="+last, "")
	require.Len(t, page["data"], 1)
	_, page = o.do(t, http.MethodGet, "/admin/audit?action=alert.test", "")
	require.Len(t, page["data"], 1)
	for _, query := range []string{"?limit=0", "?before=x", "?before=-1"} {
		status, _ := o.do(t, http.MethodGet, "/admin/audit"+query, "")
		require.Equal(t, http.StatusBadRequest, status, query)
	}
	whole, err := audit.List(t.Context(), o.pool, audit.Filter{Limit: 100})
	require.NoError(t, err)
	text, err = json.Marshal(whole)
	require.NoError(t, err)
	require.NotContains(t, string(text), "whispered")
}

func TestReadingChangesNothingInTheAuditLog(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, path := range []string{"/admin/keys", "/admin/tokens", "/admin/completions", "/admin/conversations", "/admin/providers", "/admin/cache", "/admin/audit", "/admin/alerts", "/admin/admin-tokens", "/metrics"} {
		status, _ := o.do(t, http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, status, path)
	}
	require.Empty(t, o.events(t))
}

// brokenLog takes nothing.
type brokenLog struct{ api.AuditLog }

func (brokenLog) Record(context.Context, audit.Event) error { return io.ErrUnexpectedEOF }

func TestAChangeThatIsNotAuditedIsMadeAndLogged(t *testing.T) {
	t.Parallel()
	root, err := access.LoadAdminToken(filepath.Join(t.TempDir(), "admin-token"))
	require.NoError(t, err)
	said := &log{}
	o := &operators{token: root.Secret().Reveal(), cache: &kept{}}
	o.handler = api.NewAdmin(api.AdminConfig{Token: root, Cache: o.cache, Audit: brokenLog{}, Logger: slog.New(slog.NewJSONHandler(said, nil))})
	status, _ := o.do(t, http.MethodDelete, "/admin/cache?route=demo", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "demo", o.cache.cleared)
	require.Contains(t, said.String(), `"msg":"a change is not in the audit log","actor":"root","action":"cache.clear","subject":"demo"`)
}

// running is a record with one completion, which can be cancelled.
type running struct{ api.Record }

func (running) RequestCancel(_ context.Context, _, id string) (completions.Completion, error) {
	return completions.Completion{ID: id, Tenant: "acme", State: completions.StateOpen}, nil
}

// notebook keeps what is audited.
type notebook struct {
	api.AuditLog
	events []audit.Event
}

func (n *notebook) Record(ctx context.Context, event audit.Event) error {
	event.Actor = audit.Actor(ctx)
	n.events = append(n.events, event)
	return nil
}

func TestACancellationIsAudited(t *testing.T) {
	t.Parallel()
	root, err := access.LoadAdminToken(filepath.Join(t.TempDir(), "admin-token"))
	require.NoError(t, err)
	o, notebook, id := &operators{token: root.Secret().Reveal()}, &notebook{}, completions.NewID()
	o.handler = api.NewAdmin(api.AdminConfig{Token: root, Record: running{}, Audit: notebook, Logger: slog.New(slog.DiscardHandler)})
	status, _ := o.do(t, http.MethodPost, "/admin/completions/"+id+"/cancel", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []audit.Event{{
		Actor: "root", Action: "completion.cancel", Subject: id, Before: json.RawMessage(`{"state":"open","tenant":"acme"}`),
	}}, notebook.events)
}
