package api

import (
	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
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
	s.take(c, embeddingsForm(request.Base64), dialect.Request{Request: request.Request})
}

// showEmbeddings reads embeddings back, in the form that the query's encoding_format asks for.
func (s *Server) showEmbeddings(c *gin.Context) {
	s.show(embeddingsForm(c.Query("encoding_format") == "base64"))(c)
}
