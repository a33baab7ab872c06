package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/completions"
)

// createEmbeddings takes a request for embeddings, which is accepted, recorded and driven as a completion is. It fails over
// to other hosts of the route's first model only: the vectors of two models do not mix.
func (s *Server) createEmbeddings(c *gin.Context) {
	body, err := s.readBody(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	request, err := openai.DecodeEmbeddings(body)
	if err != nil {
		s.fail(c, dialectProblem(err))
		return
	}
	if err := s.named(&request.Request); err != nil {
		s.fail(c, err)
		return
	}
	s.answer(c, completions.DialectEmbeddings, dialect.Request{Request: request.Request}, answerEmbeddings(request.Base64))
}

// showEmbeddings reads embeddings back, in the form that the query's encoding_format asks for.
func (s *Server) showEmbeddings(c *gin.Context) {
	s.show(c, completions.DialectEmbeddings, answerEmbeddings(c.Query("encoding_format") == "base64"))
}

func answerEmbeddings(base64 bool) encoder {
	return func(c *gin.Context, outcome completions.Outcome) {
		c.JSON(http.StatusOK, openai.EncodeEmbeddings(*outcome.Answer, base64))
	}
}
