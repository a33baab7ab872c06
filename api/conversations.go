package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/conversations"
)

// createConversation follows OpenAI's POST /v1/conversations: an empty body is allowed, items begin the log.
func (s *Server) createConversation(c *gin.Context) {
	body, err := s.readBody(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	request, err := openai.DecodeConversation(body)
	if err != nil {
		s.fail(c, dialectProblem(err))
		return
	}
	items := make([]conversations.Item, 0, len(request.Messages))
	for _, message := range request.Messages {
		items = append(items, conversations.Item{Message: message})
	}
	conversation, err := s.cfg.Conversations.Create(c.Request.Context(), tenantOf(c), request.Metadata, items)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, encodeConversation(conversation))
}

func encodeConversation(c conversations.Conversation) gin.H {
	return gin.H{"id": c.ID, "object": "conversation", "created_at": c.CreatedAt.Unix(), "metadata": c.Metadata}
}

func (s *Server) listConversations(c *gin.Context) {
	limit, err := pageLimit(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	list, err := s.cfg.Conversations.List(c.Request.Context(), tenantOf(c), limit+1, c.Query("after"))
	if err != nil {
		s.fail(c, err)
		return
	}
	encoded := make([]gin.H, 0, len(list))
	for _, conversation := range list {
		encoded = append(encoded, encodeConversation(conversation))
	}
	c.JSON(http.StatusOK, page(encoded, limit, func(h gin.H) string { return fmt.Sprint(h["id"]) }))
}

func (s *Server) conversation(c *gin.Context) (conversations.Conversation, error) {
	if !conversations.ValidID(c.Param("id")) {
		return conversations.Conversation{}, conversations.ErrNotFound
	}
	return s.cfg.Conversations.Find(c.Request.Context(), tenantOf(c), c.Param("id"))
}

func (s *Server) showConversation(c *gin.Context) {
	conversation, err := s.conversation(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, encodeConversation(conversation))
}

// listConversationItems pages through the log: newest first unless order=asc, as OpenAI does.
func (s *Server) listConversationItems(c *gin.Context) {
	conversation, err := s.conversation(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	limit, err := pageLimit(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	place, err := itemPlace(c.Query("after"))
	if err != nil {
		s.fail(c, err)
		return
	}
	var log []conversations.Item
	switch c.DefaultQuery("order", "desc") {
	case "asc":
		log, err = s.cfg.Conversations.Items(c.Request.Context(), conversation.ID, place, limit+1)
	case "desc":
		log, err = s.cfg.Conversations.ItemsBackward(c.Request.Context(), conversation.ID, place, limit+1)
	default:
		err = invalid("order", "invalid_value", "order must be asc or desc.")
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	object := page(log, limit, itemID)
	encoded := []openai.Item{}
	for _, item := range log[:min(limit, len(log))] {
		encoded = append(encoded, openai.EncodeItems(itemID(item), item.Message)...)
	}
	object["data"] = encoded
	c.JSON(http.StatusOK, object)
}

// itemID is the public id of a log entry. A message with tool calls is shown as several items, which share its place.
func itemID(item conversations.Item) string { return fmt.Sprintf("msg_%d", item.Seq) }

func itemPlace(id string) (int64, error) {
	if id == "" {
		return 0, nil
	}
	_, digits, ok := strings.Cut(id, "_")
	digits, _, _ = strings.Cut(digits, "_")
	place, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || place < 1 {
		return 0, invalid("after", "invalid_value", "after must be the id of an item.")
	}
	return place, nil
}

// decodeJSON reads an optional JSON body strictly.
func decodeJSON(body io.Reader, into any) error {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return invalid("", "invalid_json", "The body is not valid: "+err.Error())
	}
	return nil
}
