package api

import (
	"errors"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
)

const principalKey = "principal"

// authenticated lets a request pass that carries a valid token. A token that cannot be checked is not a wrong token: that
// answer is 503.
func (s *Server) authenticated() gin.HandlerFunc {
	return func(c *gin.Context) {
		scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
		if c.GetHeader("Authorization") == "" { // as Anthropic's clients send it
			scheme, token = "Bearer", c.GetHeader("X-Api-Key")
		}
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			s.fail(c, unauthorized())
			return
		}
		principal, err := s.cfg.Tokens.Verify(c.Request.Context(), strings.TrimSpace(token))
		switch {
		case errors.Is(err, access.ErrInvalid):
			s.fail(c, unauthorized())
		case err != nil:
			s.fail(c, unavailable("The service cannot take requests at the moment. Try again shortly.", err))
		default:
			c.Set(principalKey, principal)
		}
	}
}

// tenantOf is the tenant of an authenticated request.
func tenantOf(c *gin.Context) string {
	principal, _ := c.MustGet(principalKey).(access.Principal)
	return principal.Tenant
}
