package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/llm"
)

// KeyVault is what the admin API changes of the vault. Package keys implements it.
type KeyVault interface {
	Add(ctx context.Context, provider, name string, key llm.Secret) (keys.Info, error)
	Replace(ctx context.Context, provider, name string, key llm.Secret) (keys.Info, error)
	Disable(ctx context.Context, provider, name string) (keys.Info, error)
	List(ctx context.Context) ([]keys.Info, error)
}

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
	Token access.AdminToken
	Vault KeyVault
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

// NewAdmin makes the operators' API. It belongs on a listener of its own, and every path of it asks for the admin token.
func NewAdmin(cfg AdminConfig) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	a := &admin{Server: &Server{cfg: Config{Logger: cfg.Logger}}, cfg: cfg}
	router := gin.New()
	router.Use(a.recovered())
	router.NoRoute(func(c *gin.Context) { a.fail(c, notFound("No such endpoint.")) })
	router.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	group := router.Group("/admin", a.authorized)
	group.GET("/keys", a.listKeys)
	group.POST("/keys", a.addKey)
	group.POST("/keys/:provider/:name/disable", a.disableKey)
	group.POST("/content-keys", a.rotateContentKey)
	group.GET("/tokens", a.listTokens)
	group.POST("/tokens", a.createToken)
	group.POST("/tokens/:id/revoke", a.revokeToken)
	group.GET("/completions", a.listCompletions)
	group.GET("/completions/:id", a.showCompletion)
	group.POST("/completions/:id/cancel", a.cancelCompletion)
	if cfg.Conversations != nil {
		a.serveConversations(group)
	}
	if cfg.Routes != nil {
		group.GET("/route", a.explainRoute)
	}
	if cfg.Providers != nil {
		group.GET("/providers", a.listProviders)
		group.POST("/providers/open", a.openProvider)
		group.POST("/providers/close", a.closeProvider)
		group.POST("/providers/hold", a.holdProvider)
	}
	if cfg.Cache != nil {
		group.GET("/cache", a.showCache)
		group.DELETE("/cache", a.clearCache)
	}
	if cfg.Simulator != nil {
		group.Any("/simulator/*path", gin.WrapH(http.StripPrefix("/admin/simulator", cfg.Simulator)))
	}
	return router
}

func (a *admin) authorized(c *gin.Context) {
	_, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !a.cfg.Token.Matches(token) {
		a.fail(c, unauthorized())
		return
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, adminBodyBytes)
}

func (a *admin) listKeys(c *gin.Context) {
	list, err := a.cfg.Vault.List(c.Request.Context())
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": list})
}

func (a *admin) addKey(c *gin.Context) {
	var request struct {
		Provider string `json:"provider"`
		Name     string `json:"name"`
		Key      string `json:"key"`
		Replace  bool   `json:"replace"`
	}
	if err := decodeJSON(c.Request.Body, &request); err != nil {
		a.fail(c, err)
		return
	}
	put := a.cfg.Vault.Add
	if request.Replace {
		put = a.cfg.Vault.Replace
	}
	info, err := put(c.Request.Context(), request.Provider, request.Name, llm.Secret(request.Key))
	if err != nil {
		a.fail(c, keyProblem(err))
		return
	}
	a.cfg.Logger.InfoContext(c.Request.Context(), "provider key added", "provider", info.Provider, "name", info.Name)
	c.JSON(http.StatusOK, info)
}

func (a *admin) disableKey(c *gin.Context) {
	info, err := a.cfg.Vault.Disable(c.Request.Context(), c.Param("provider"), c.Param("name"))
	if err != nil {
		a.fail(c, keyProblem(err))
		return
	}
	a.cfg.Logger.InfoContext(c.Request.Context(), "provider key disabled", "provider", info.Provider, "name", info.Name)
	c.JSON(http.StatusOK, info)
}

func keyProblem(err error) error {
	switch {
	case errors.Is(err, keys.ErrExists):
		return &problem{
			status: http.StatusConflict, kind: "invalid_request_error", code: "key_exists",
			message: "A key of this provider and name exists: give --replace to replace it.",
		}
	case errors.Is(err, keys.ErrNotFound):
		return notFound("There is no key of this provider and name.")
	case errors.Is(err, keys.ErrBadName):
		return invalid("name", "invalid_value", keys.ErrBadName.Error())
	case errors.Is(err, keys.ErrBadKey):
		return invalid("key", "invalid_value", err.Error())
	default:
		return err
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
