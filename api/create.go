package api

import (
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

// create takes requests of a dialect.
func (s *Server) create(form *form, decode func(c *gin.Context, body []byte) (dialect.Request, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		request, err := s.decoded(c, decode)
		if err != nil {
			s.fail(c, err)
			return
		}
		s.take(c, form, request)
	}
}

// decoded reads the body and decodes it.
func (s *Server) decoded(c *gin.Context, decode func(c *gin.Context, body []byte) (dialect.Request, error)) (dialect.Request, error) {
	body, err := s.readBody(c)
	if err != nil {
		return dialect.Request{}, err
	}
	request, err := decode(c, body)
	return request, dialectProblem(err)
}

func decodeChat(_ *gin.Context, body []byte) (dialect.Request, error) { return openai.DecodeChat(body) }

func decodeMessages(_ *gin.Context, body []byte) (dialect.Request, error) {
	return anthropic.DecodeMessages(body)
}

// decodeResponse reads a request whose input may name items that were said before.
func (s *Server) decodeResponse(c *gin.Context, body []byte) (dialect.Request, error) {
	return openai.DecodeResponse(body, func(id string) (llm.Message, error) { return s.item(c, id) })
}

func asInvalid(err error) (*dialect.InvalidError, bool) {
	return errors.AsType[*dialect.InvalidError](err)
}
