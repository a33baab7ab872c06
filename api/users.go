package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
)

// exportSuffix stands behind an end user's name, which may hold slashes itself.
const exportSuffix = "/export"

// showUser is what can be read of an end user: the export of all that was said for them.
func (s *Server) showUser(c *gin.Context) {
	user, ok := strings.CutSuffix(userOf(c), exportSuffix)
	if !ok || user == "" {
		s.fail(c, notFound("No such endpoint: of an end user there is GET /v1/holdfast/users/{user}/export."))
		return
	}
	s.exportUser(c, s.cfg.Record, tenantOf(c), user)
}

// exportUser gives all that is kept of an end user of a tenant, as JSON Lines. Somebody of whom nothing is kept has an empty export.
func (s *Server) exportUser(c *gin.Context, record Record, tenant, user string) {
	s.export(c, "user", func(ctx context.Context, write func(store.ExportLine) error) error {
		return record.ExportUser(ctx, tenant, user, write)
	})
}

// eraseUser takes away all that was said for an end user.
func (s *Server) eraseUser(c *gin.Context) {
	user := userOf(c)
	if user == "" {
		s.fail(c, notFound("No such endpoint: name the end user, DELETE /v1/holdfast/users/{user}."))
		return
	}
	erased, err := s.cfg.Record.EraseUser(c.Request.Context(), tenantOf(c), user)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, erasureOf("user", user, erased))
}

// userOf is the end user that the rest of the path names, as clients name them: any characters.
func userOf(c *gin.Context) string { return strings.TrimPrefix(c.Param("user"), "/") }

// erasureOf is what an erasure has come to; name and value say of what.
func erasureOf(name, value string, erased completions.Erasure) gin.H {
	return gin.H{
		"object": "holdfast.erasure", name: value, "conversations": erased.Conversations, "completions": erased.Completions, "running": erased.Running,
	}
}
