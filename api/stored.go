package api

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
)

// listStored lists the chat completions that were to be kept ("store": true), the oldest first unless order=desc, as OpenAI does.
func (s *Server) listStored(c *gin.Context) {
	limit, err := pageLimit(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	ask := store.Stored{
		Tenant: tenantOf(c), Dialect: completions.DialectChat, Model: c.Query("model"), Metadata: c.QueryMap("metadata"),
		After: c.Query("after"), Limit: limit + 1,
	}
	if ask.Ascending, err = ascending(c, "asc"); err != nil {
		s.fail(c, err)
		return
	}
	if ask.After != "" { // one that was erased has a place still
		_, _, err = s.cfg.Record.Find(c.Request.Context(), ask.Tenant, ask.After)
		if errors.Is(err, completions.ErrNotFound) {
			err = invalid("after", "invalid_value", "after must be the id of a completion.")
		}
		if err != nil {
			s.fail(c, err)
			return
		}
	}
	list, err := s.cfg.Record.ListStored(c.Request.Context(), ask)
	if err != nil {
		s.fail(c, err)
		return
	}
	form := chatForm()
	object := page(list, limit, func(outcome completions.Outcome) string { return outcome.Completion.ID })
	encoded := make([]any, 0, len(list))
	for _, outcome := range list[:min(limit, len(list))] {
		encoded = append(encoded, form.body(view{Completion: outcome.Completion, answer: outcome.Answer}))
	}
	object["data"] = encoded
	c.JSON(http.StatusOK, object)
}

// updateStored replaces the metadata of a chat completion.
func (s *Server) updateStored(c *gin.Context) {
	form := chatForm()
	v, err := s.find(c, form)
	if err == nil {
		v.Metadata, err = s.metadata(c)
	}
	if err == nil {
		err = s.cfg.Record.SetMetadata(c.Request.Context(), v.Tenant, v.ID, v.Metadata)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, form.body(v))
}

// metadata reads a body that holds nothing else.
func (s *Server) metadata(c *gin.Context) (map[string]string, error) {
	body, err := s.readBody(c)
	if err != nil {
		return nil, err
	}
	metadata, err := openai.DecodeConversationUpdate(body)
	return metadata, dialectProblem(err)
}

// listStoredMessages pages through what the client sent with a chat completion.
func (s *Server) listStoredMessages(c *gin.Context) {
	v, err := s.find(c, chatForm())
	if err != nil {
		s.fail(c, err)
		return
	}
	request, err := s.cfg.Record.Request(c.Request.Context(), v.ID)
	if err != nil {
		s.fail(c, err)
		return
	}
	// oldest first, other than items
	object, err := pageOf(c, openai.EncodeStoredMessages(v.ID, request.Messages), "asc", func(m openai.StoredMessage) string { return m.ID })
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, object)
}
