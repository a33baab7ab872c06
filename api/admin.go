package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
)

// TokenStore is what the admin API changes of the access tokens. Package access implements it.
type TokenStore interface {
	Create(ctx context.Context, tenant, name string) (access.Token, llm.Secret, error)
	List(ctx context.Context, tenant string) ([]access.Token, error)
	Revoke(ctx context.Context, id string) error
}

// WorkflowCanceller cancels workflows; a Temporal client is one.
type WorkflowCanceller interface {
	CancelWorkflow(ctx context.Context, workflowID, runID string) error
}

// AdminConfig is what the admin API needs; what may be nil says so.
type AdminConfig struct {
	// Token is the root token. AdminTokens are those beside it; nil if there are none.
	Token       access.AdminToken
	AdminTokens AdminTokenStore
	Vault       KeyVault
	// Rotator rotates keys; nil where no key is.
	Rotator Rotator
	// ContentKeys are rotated by operators.
	ContentKeys ContentKeys
	Tokens      TokenStore
	Record      Record
	// Conversations are what was said; nil leaves their endpoints out.
	Conversations ConversationDesk
	// Temporal tells the workflow of a completion that it is cancelled, which may be waiting; nil tells nobody.
	Temporal WorkflowCanceller
	// Routes tells who would serve a route; nil if this process does not know.
	Routes Explainer
	// Providers is what is known of providers; nil if this process does not know.
	Providers ProviderDesk
	// Cache has the answers that are kept; nil if none are.
	Cache Cache
	// Audit has the changes made through this API written down; nil writes nothing down. Tokens audits what it changes by itself, and
	// so does Vault.
	Audit AuditLog
	// Alerts are what operators are told, and Webhooks the names of who is; nil leaves their endpoints out.
	Alerts   AlertDesk
	Webhooks []string
	// Metrics answers Prometheus; nil if there are none.
	Metrics http.Handler
	// Simulator controls the provider simulator of this process; nil if there is none.
	Simulator http.Handler
	Logger    *slog.Logger
}

// adminBodyBytes bounds the body of an admin request.
const adminBodyBytes = 64 << 10

type admin struct {
	*Server // for its errors
	cfg     AdminConfig
}

// NewAdmin makes the operators' API. It belongs on a listener of its own, and every path of it asks for the root token or an
// admin token that has the scope of the path.
func NewAdmin(cfg AdminConfig) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	a := &admin{Server: &Server{cfg: Config{Logger: cfg.Logger}}, cfg: cfg}
	router := gin.New()
	router.Use(a.recovered())
	router.NoRoute(func(c *gin.Context) { a.fail(c, notFound("No such endpoint.")) })
	router.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	if cfg.Metrics != nil {
		router.GET("/metrics", a.authorized, a.needs(access.ScopeMetricsRead), gin.WrapH(cfg.Metrics))
	}
	a.serve(router.Group("/admin", a.authorized))
	return router
}

// serve registers the routes, each with the scope that it needs.
func (a *admin) serve(group *gin.RouterGroup) {
	a.serveKeys(group)
	group.POST("/content-keys", a.needs(access.ScopeKeysWrite), a.rotateContentKey)
	group.GET("/tokens", a.needs(access.ScopeTokensRead), a.listTokens)
	group.POST("/tokens", a.needs(access.ScopeTokensWrite), a.createToken)
	group.POST("/tokens/:id/revoke", a.needs(access.ScopeTokensWrite), a.revokeToken)
	group.GET("/completions", a.needs(access.ScopeCompletionsRead), a.listCompletions)
	group.GET("/completions/:id", a.needs(access.ScopeCompletionsRead), a.showCompletion)
	group.POST("/completions/:id/cancel", a.needs(access.ScopeCompletionsWrite), a.cancelCompletion)
	if a.cfg.Conversations != nil {
		a.serveConversations(group)
	}
	if a.cfg.Routes != nil {
		group.GET("/route", a.needs(access.ScopeProvidersRead), a.explainRoute)
	}
	if a.cfg.Providers != nil {
		group.GET("/providers", a.needs(access.ScopeProvidersRead), a.listProviders)
		group.POST("/providers/open", a.needs(access.ScopeProvidersWrite), a.openProvider)
		group.POST("/providers/close", a.needs(access.ScopeProvidersWrite), a.closeProvider)
		group.POST("/providers/hold", a.needs(access.ScopeProvidersWrite), a.holdProvider)
	}
	if a.cfg.Cache != nil {
		group.GET("/cache", a.needs(access.ScopeCompletionsRead), a.showCache)
		group.DELETE("/cache", a.needs(access.ScopeCacheWrite), a.clearCache)
	}
	if a.cfg.AdminTokens != nil {
		a.serveAdminTokens(group)
	}
	if a.cfg.Audit != nil {
		group.GET("/audit", a.needs(access.ScopeAuditRead), a.listAudit)
	}
	if a.cfg.Alerts != nil {
		a.serveAlerts(group)
	}
	if a.cfg.Simulator != nil {
		group.Any("/simulator/*path", a.needs(access.ScopeSimulator), gin.WrapH(http.StripPrefix("/admin/simulator", a.cfg.Simulator)))
	}
}

func (a *admin) listTokens(c *gin.Context) {
	list, err := a.cfg.Tokens.List(c.Request.Context(), c.Query("tenant"))
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": list})
}

func (a *admin) createToken(c *gin.Context) {
	var request struct {
		Tenant string `json:"tenant"`
		Name   string `json:"name"`
	}
	if err := decodeJSON(c.Request.Body, &request); err != nil {
		a.fail(c, err)
		return
	}
	token, secret, err := a.cfg.Tokens.Create(c.Request.Context(), request.Tenant, request.Name)
	if errors.Is(err, access.ErrBadName) {
		err = invalid("tenant", "invalid_value", access.ErrBadName.Error())
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	// The only time that the token is seen in clear.
	c.JSON(http.StatusOK, gin.H{"id": token.ID, "tenant": token.Tenant, "name": token.Name, "token": secret.Reveal()})
}

func (a *admin) revokeToken(c *gin.Context) {
	err := a.cfg.Tokens.Revoke(c.Request.Context(), c.Param("id"))
	if errors.Is(err, access.ErrNotFound) {
		err = notFound("There is no token of this id.")
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"id": c.Param("id"), "revoked": true})
}

func (a *admin) listCompletions(c *gin.Context) {
	list, err := listRecords(c, a.cfg.Record, c.Query("tenant"))
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, list)
}

// cancelCompletion asks the process that drives the completion to end it, and does not wait for that.
func (a *admin) cancelCompletion(c *gin.Context) {
	if !completions.ValidID(c.Param("id")) {
		a.fail(c, completions.ErrNotFound)
		return
	}
	completion, err := a.cfg.Record.RequestCancel(c.Request.Context(), "", c.Param("id"))
	if err != nil {
		a.fail(c, err)
		return
	}
	a.audited(c, audit.Event{Action: "completion.cancel", Subject: completion.ID, Before: audit.Describe(gin.H{"state": completion.State, "tenant": completion.Tenant})})
	if a.cfg.Temporal != nil && completion.State == completions.StateOpen {
		if err := a.cfg.Temporal.CancelWorkflow(c.Request.Context(), completion.WorkflowID, ""); err != nil {
			a.cfg.Logger.InfoContext(c.Request.Context(), "the workflow was not told that its completion is cancelled", "completion", completion.ID, "error", err)
		}
	}
	c.JSON(http.StatusOK, recordOf(completion, nil))
}

func (a *admin) showCompletion(c *gin.Context) {
	record, err := readRecord(c, a.cfg.Record, "")
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, record)
}
