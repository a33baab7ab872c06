package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/audit"
)

const adminPrincipalKey = "admin principal"

// authorized lets a request pass whose token is the root token or an admin token, and says from here on who acts. What the token
// allows is each route's to ask: [admin.needs].
func (a *admin) authorized(c *gin.Context) {
	_, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	principal := access.RootPrincipal()
	if !a.cfg.Token.Matches(token) {
		var err error
		if principal, err = a.verified(c, token); err != nil {
			a.fail(c, err)
			return
		}
	}
	c.Set(adminPrincipalKey, principal)
	c.Request = c.Request.WithContext(audit.WithActor(c.Request.Context(), principal.Actor()))
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, adminBodyBytes)
}

func (a *admin) verified(c *gin.Context, token string) (access.AdminPrincipal, error) {
	if a.cfg.AdminTokens == nil {
		return access.AdminPrincipal{}, unauthorized()
	}
	principal, err := a.cfg.AdminTokens.Verify(c.Request.Context(), token)
	if errors.Is(err, access.ErrInvalid) {
		err = unauthorized()
	}
	return principal, err
}

// principalOf is who makes an authorized request.
func principalOf(c *gin.Context) access.AdminPrincipal {
	principal, _ := c.MustGet(adminPrincipalKey).(access.AdminPrincipal)
	return principal
}

// needs lets a request pass whose token has the scope. Every route of the admin API has one.
func (a *admin) needs(scope access.Scope) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !principalOf(c).Has(scope) {
			a.fail(c, insufficientScope(scope))
		}
	}
}

func insufficientScope(missing ...access.Scope) *problem {
	names := make([]string, len(missing))
	for i, scope := range missing {
		names[i] = string(scope)
	}
	return &problem{
		status: http.StatusForbidden, kind: "invalid_request_error", code: "insufficient_scope",
		message: "This admin token does not have the scope " + strings.Join(names, ", ") + ".",
	}
}
