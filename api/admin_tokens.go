package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/llm"
)

// AdminTokenStore is what the admin API knows of admin tokens, and changes. [access.AdminTokens] is one; it audits what it changes.
type AdminTokenStore interface {
	Verify(ctx context.Context, token string) (access.AdminPrincipal, error)
	Create(ctx context.Context, name string, scopes []access.Scope, expires *time.Time) (access.AdminTokenInfo, llm.Secret, error)
	List(ctx context.Context) ([]access.AdminTokenInfo, error)
	Revoke(ctx context.Context, id string) error
}

func (a *admin) serveAdminTokens(group *gin.RouterGroup) {
	group.GET("/admin-tokens", a.needs(access.ScopeAdminTokensWrite), a.listAdminTokens)
	group.POST("/admin-tokens", a.needs(access.ScopeAdminTokensWrite), a.createAdminToken)
	group.POST("/admin-tokens/:id/revoke", a.needs(access.ScopeAdminTokensWrite), a.revokeAdminToken)
}

func (a *admin) listAdminTokens(c *gin.Context) {
	list, err := a.cfg.AdminTokens.List(c.Request.Context())
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": append([]access.AdminTokenInfo{}, list...)})
}

// createAdminToken makes a token that may do no more, and is there no longer, than the one that asks for it.
func (a *admin) createAdminToken(c *gin.Context) {
	var request struct {
		Name      string         `json:"name"`
		Scopes    []access.Scope `json:"scopes"`
		ExpiresAt *time.Time     `json:"expires_at"`
	}
	if err := decodeJSON(c.Request.Body, &request); err != nil {
		a.fail(c, err)
		return
	}
	made, secret, err := a.newAdminToken(c, request.Name, request.Scopes, request.ExpiresAt)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.cfg.Logger.InfoContext(c.Request.Context(), "admin token created", "id", made.ID, "name", made.Name, "scopes", made.Scopes)
	// The only time that the token is seen in clear.
	c.JSON(http.StatusOK, struct {
		access.AdminTokenInfo
		Token string `json:"token"`
	}{made, secret.Reveal()})
}

func (a *admin) newAdminToken(c *gin.Context, name string, scopes []access.Scope, expires *time.Time) (access.AdminTokenInfo, llm.Secret, error) {
	principal := principalOf(c)
	lacks := principal.Lacks(scopes)
	switch {
	case principal.IsOutlivedBy(expires):
		return access.AdminTokenInfo{}, "", invalid("expires_at", "invalid_value", "A token makes none that outlives it: this one ends at "+principal.ExpiresAt.UTC().Format(time.RFC3339)+".")
	case len(lacks) > 0 && principal.Name != "": // root has all that there are
		return access.AdminTokenInfo{}, "", insufficientScope(lacks...)
	}
	made, secret, err := a.cfg.AdminTokens.Create(c.Request.Context(), name, scopes, expires)
	var bad *access.BadScopeError
	switch {
	case errors.Is(err, access.ErrBadAdminName):
		err = invalid("name", "invalid_value", err.Error())
	case errors.As(err, &bad):
		err = invalid("scopes", "invalid_value", bad.Error())
	case errors.Is(err, access.ErrBadExpiry):
		err = invalid("expires_at", "invalid_value", err.Error())
	case errors.Is(err, access.ErrExists):
		err = &problem{
			status: http.StatusConflict, kind: "invalid_request_error", code: "admin_token_exists",
			message: "There is an admin token of this name: revoke it first, or choose another name.",
		}
	}
	return made, secret, err
}

func (a *admin) revokeAdminToken(c *gin.Context) {
	err := a.cfg.AdminTokens.Revoke(c.Request.Context(), c.Param("id"))
	if errors.Is(err, access.ErrNotFound) {
		err = notFound("There is no admin token of this id.")
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"id": c.Param("id"), "revoked": true})
}
