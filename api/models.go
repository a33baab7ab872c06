package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/completions"
)

func (s *Server) model(name string) gin.H {
	return gin.H{"id": name, "object": "model", "created": s.started.Unix(), "owned_by": "holdfast"}
}

func (s *Server) listModels(c *gin.Context) {
	if spokenTo(c) == completions.DialectMessages {
		page, err := anthropic.DecodePage(c.Query("limit"), c.Query("after_id"), c.Query("before_id"))
		if err != nil {
			s.fail(c, dialectProblem(err))
			return
		}
		c.JSON(http.StatusOK, anthropic.EncodeModels(s.cfg.Routes, s.started, page))
		return
	}
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
	if spokenTo(c) == completions.DialectMessages {
		c.JSON(http.StatusOK, anthropic.EncodeModel(name, s.started))
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
