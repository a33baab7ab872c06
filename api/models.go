package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

func (s *Server) model(name string) gin.H {
	return gin.H{"id": name, "object": "model", "created": s.started.Unix(), "owned_by": "holdfast"}
}

func (s *Server) listModels(c *gin.Context) {
	models := make([]gin.H, 0, len(s.cfg.Routes))
	for _, route := range s.cfg.Routes {
		models = append(models, s.model(route))
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": models})
}

func (s *Server) showModel(c *gin.Context) {
	name := strings.TrimPrefix(c.Param("id"), "/")
	if !s.routes[name] {
		s.fail(c, s.noSuchModel(name))
		return
	}
	c.JSON(http.StatusOK, s.model(name))
}

func (s *Server) noSuchModel(name string) *problem {
	return &problem{
		status: http.StatusNotFound, kind: "invalid_request_error", code: "model_not_found", param: "model",
		message: "The model '" + name + "' does not exist. GET /v1/models lists those that do.",
	}
}
