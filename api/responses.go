package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
)

// erase deletes what was said in a completion; its numbers stay in the record. Object is OpenAI's word for what is deleted.
func (s *Server) erase(form *form, object string) gin.HandlerFunc {
	return func(c *gin.Context) {
		v, err := s.find(c, form)
		if err == nil {
			err = s.cfg.Record.Erase(c.Request.Context(), v.Tenant, v.ID)
		}
		if err != nil {
			s.fail(c, err)
			return
		}
		c.JSON(http.StatusOK, gin.H{"id": form.public(v.ID), "object": object, "deleted": true})
	}
}

// listInputItems pages through what the client sent with a response, the latest first unless order=asc, as OpenAI does.
func (s *Server) listInputItems(c *gin.Context) {
	v, err := s.find(c, responsesForm())
	if err != nil {
		s.fail(c, err)
		return
	}
	request, err := s.cfg.Record.Request(c.Request.Context(), v.ID)
	if err != nil {
		s.fail(c, err)
		return
	}
	var items []openai.Item
	for i, message := range request.Messages {
		items = append(items, openai.Items(message, openai.RequestItems(v.ID, i))...)
	}
	s.listed(c, items, func(item openai.Item) string { return item.ID })
}

// listed pages through a list that is in memory, in its own order with order=asc, else backward.
func (s *Server) listed(c *gin.Context, items []openai.Item, id func(openai.Item) string) {
	page, err := pageOf(c, items, "desc", id)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, page)
}

// pageOf is the page of a list that the query asks for, in the given order unless it says another.
func pageOf[T any](c *gin.Context, list []T, order string, id func(T) string) (gin.H, error) {
	limit, err := pageLimit(c)
	if err != nil {
		return nil, err
	}
	ascending, err := ascending(c, order)
	if err != nil {
		return nil, err
	}
	ordered := make([]T, 0, len(list))
	for i := range list {
		if ascending {
			ordered = append(ordered, list[i])
		} else {
			ordered = append(ordered, list[len(list)-1-i])
		}
	}
	if after := c.Query("after"); after != "" {
		for i, entry := range ordered {
			if id(entry) == after {
				ordered = ordered[i+1:]
				return page(ordered[:min(limit+1, len(ordered))], limit, id), nil
			}
		}
		return nil, invalid("after", "invalid_value", "after must be the id of an entry of the list.")
	}
	return page(ordered[:min(limit+1, len(ordered))], limit, id), nil
}

// ascending reads the order that the query asks for.
func ascending(c *gin.Context, otherwise string) (bool, error) {
	switch c.DefaultQuery("order", otherwise) {
	case "asc":
		return true, nil
	case "desc":
		return false, nil
	default:
		return false, invalid("order", "invalid_value", "order must be asc or desc.")
	}
}

// item finds what was said under an id that was given out: in the answer or the request of a completion, or in a conversation.
func (s *Server) item(c *gin.Context, id string) (llm.Message, error) {
	gone := invalid("input", "item_not_found", "Item with id '"+id+"' not found. Items of responses that were not stored are sent whole, not by their ids.")
	place, ok := openai.ParseItemID(id)
	if !ok {
		return llm.Message{}, gone
	}
	message, err := s.said(c.Request.Context(), tenantOf(c), place)
	if errors.Is(err, completions.ErrNotFound) || errors.Is(err, conversations.ErrNotFound) {
		return llm.Message{}, gone
	}
	if err != nil {
		return llm.Message{}, err
	}
	if message, ok = openai.PickItem(message, place.Item); !ok {
		return llm.Message{}, gone
	}
	return message, nil
}

// said is the message that an item belongs to.
func (s *Server) said(ctx context.Context, tenant string, place openai.ItemPlace) (llm.Message, error) {
	if place.Conversation != "" {
		if _, err := s.cfg.Conversations.Find(ctx, tenant, place.Conversation); err != nil {
			return llm.Message{}, err
		}
		item, err := s.cfg.Conversations.Item(ctx, place.Conversation, place.Seq)
		return item.Message, err
	}
	outcome, err := s.cfg.Record.Outcome(ctx, tenant, place.Completion)
	switch {
	case err != nil:
		return llm.Message{}, err
	case outcome.Completion.ErasedAt != nil:
		return llm.Message{}, completions.ErrNotFound
	case place.Answer() && outcome.Answer != nil:
		return outcome.Answer.Message, nil
	case place.Answer():
		return llm.Message{}, completions.ErrNotFound
	}
	request, err := s.cfg.Record.Request(ctx, place.Completion)
	if err != nil {
		return llm.Message{}, err
	}
	if place.Message >= len(request.Messages) {
		return llm.Message{}, completions.ErrNotFound
	}
	return request.Messages[place.Message], nil
}
