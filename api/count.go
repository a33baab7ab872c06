package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/tokens"
)

// countMessages counts the tokens of a request in Anthropic's dialect.
func (s *Server) countMessages(c *gin.Context) {
	request, err := s.decoded(c, func(_ *gin.Context, body []byte) (dialect.Request, error) { return anthropic.DecodeCount(body) })
	s.counted(c, request, err, func(n int64) any { return anthropic.EncodeTokenCount(n) })
}

// countInput counts those of a request for a response.
func (s *Server) countInput(c *gin.Context) {
	request, err := s.decoded(c, func(c *gin.Context, body []byte) (dialect.Request, error) {
		return openai.DecodeInputTokens(body, func(id string) (llm.Message, error) { return s.item(c, id) })
	})
	s.counted(c, request, err, func(n int64) any { return openai.EncodeInputTokens(n) })
}

func (s *Server) counted(c *gin.Context, request dialect.Request, err error, encode func(int64) any) {
	if err == nil {
		err = s.named(&request.Request)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	request.Request = request.Instructed()
	if s.cfg.Count != nil {
		n, err := s.cfg.Count(c.Request.Context(), tenantOf(c), request.Request)
		if err == nil {
			c.JSON(http.StatusOK, encode(n))
			return
		}
		s.cfg.Logger.InfoContext(c.Request.Context(), "counted by estimate: the vendor did not count", "error", err)
	}
	c.JSON(http.StatusOK, encode(tokens.Exact(request.Request).About))
}
