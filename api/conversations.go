package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
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
	conversation, err := s.cfg.Conversations.Create(c.Request.Context(), tenantOf(c), request.Metadata, itemsOf(request.Messages))
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, encodeConversation(conversation))
}

func itemsOf(messages []llm.Message) []conversations.Item {
	items := make([]conversations.Item, 0, len(messages))
	for _, message := range messages {
		items = append(items, conversations.Item{Message: message})
	}
	return items
}

func encodeConversation(c conversations.Conversation) gin.H {
	return gin.H{"id": c.ID, "object": "conversation", "created_at": c.CreatedAt.Unix(), "metadata": c.Metadata}
}

// listConversations is Holdfast's own: OpenAI has no list of conversations.
func (s *Server) listConversations(c *gin.Context) {
	limit, err := pageLimit(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	if after := c.Query("after"); after != "" {
		_, err = s.cfg.Conversations.Find(c.Request.Context(), tenantOf(c), after)
		if errors.Is(err, conversations.ErrNotFound) {
			err = invalid("after", "invalid_value", "after must be the id of a conversation that is there.")
		}
		if err != nil {
			s.fail(c, err)
			return
		}
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

func (s *Server) updateConversation(c *gin.Context) {
	conversation, err := s.conversation(c)
	var metadata map[string]string
	if err == nil {
		metadata, err = s.metadata(c)
	}
	if err == nil {
		conversation, err = s.cfg.Conversations.SetMetadata(c.Request.Context(), conversation.Tenant, conversation.ID, metadata)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, encodeConversation(conversation))
}

// deleteConversation erases a conversation and all that was said in it, wherever it stands.
func (s *Server) deleteConversation(c *gin.Context) {
	conversation, err := s.conversation(c)
	if err == nil {
		_, err = s.cfg.Record.EraseConversation(c.Request.Context(), conversation.Tenant, conversation.ID)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"id": conversation.ID, "object": "conversation.deleted", "deleted": true})
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
	oldest, err := ascending(c, "desc")
	if err != nil {
		s.fail(c, err)
		return
	}
	items, err := s.items(c.Request.Context(), conversation, oldest, c.Query("after"), limit+1)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, page(items, limit, func(item openai.Item) string { return item.ID }))
}

// items are those of a page, behind an item's id if one is given. A message may hold several items.
func (s *Server) items(ctx context.Context, conversation conversations.Conversation, oldest bool, after string, limit int) ([]openai.Item, error) {
	seq, item := int64(0), -1
	if after != "" {
		var err error
		if seq, item, err = s.itemPlace(ctx, conversation.ID, after); err != nil {
			return nil, err
		}
	}
	read := s.cfg.Conversations.ItemsBackward
	from := seq + 1 // the message that the item stands in is read again
	if oldest {
		read, from = s.cfg.Conversations.Items, seq-1
	}
	if after == "" {
		from = 0
	}
	log, err := read(ctx, conversation.ID, from, limit+1)
	if err != nil {
		return nil, err
	}
	var items []openai.Item
	for _, message := range log {
		listed := shownItems(message)
		if !oldest {
			for i, j := 0, len(listed)-1; i < j; i, j = i+1, j-1 {
				listed[i], listed[j] = listed[j], listed[i]
			}
		}
		for _, entry := range listed {
			place, _ := openai.ParseItemID(entry.ID)
			if message.Seq == seq && (oldest && place.Item <= item || !oldest && place.Item >= item) {
				continue
			}
			items = append(items, entry)
		}
	}
	return items[:min(limit, len(items))], nil
}

// shownItems are the items of a log entry. Those of an answer have the ids under which it was given.
func shownItems(item conversations.Item) []openai.Item {
	if item.CompletionID != "" && item.Provider != "" {
		return openai.Items(item.Message, openai.AnswerItems(item.CompletionID))
	}
	return openai.Items(item.Message, openai.ConversationItems(item.ConversationID, item.Seq))
}

// itemPlace finds an item of a conversation by its id: its message's place in the log, and its number there.
func (s *Server) itemPlace(ctx context.Context, conversation, id string) (seq int64, item int, err error) {
	gone := &problem{
		status: http.StatusNotFound, kind: "invalid_request_error", code: "item_not_found", message: "The conversation has no item '" + id + "'.",
	}
	place, ok := openai.ParseItemID(id)
	switch {
	case !ok:
		return 0, 0, gone
	case place.Answer():
		seq, err = s.cfg.Conversations.AnswerPlace(ctx, conversation, place.Completion)
		if errors.Is(err, conversations.ErrNotFound) {
			err = gone
		}
		return seq, place.Item, err
	case place.Conversation != conversation:
		return 0, 0, gone
	default:
		return place.Seq, place.Item, nil
	}
}

// createConversationItems adds items to the log that no model is asked about.
func (s *Server) createConversationItems(c *gin.Context) {
	conversation, err := s.conversation(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	body, err := s.readBody(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	messages, err := openai.DecodeItems(body)
	if err != nil {
		s.fail(c, dialectProblem(err))
		return
	}
	added, err := s.cfg.Conversations.Append(c.Request.Context(), conversation.Tenant, conversation.ID, itemsOf(messages))
	if err != nil {
		s.fail(c, err)
		return
	}
	items := []openai.Item{}
	for _, item := range added {
		items = append(items, shownItems(item)...)
	}
	c.JSON(http.StatusOK, page(items, len(items), func(item openai.Item) string { return item.ID }))
}

// conversationItem finds the item that the request names.
func (s *Server) conversationItem(c *gin.Context) (conversation conversations.Conversation, item conversations.Item, number int, err error) {
	if conversation, err = s.conversation(c); err != nil {
		return conversation, item, 0, err
	}
	ctx := c.Request.Context()
	seq, number, err := s.itemPlace(ctx, conversation.ID, c.Param("item"))
	if err != nil {
		return conversation, item, 0, err
	}
	item, err = s.cfg.Conversations.Item(ctx, conversation.ID, seq)
	if errors.Is(err, conversations.ErrNotFound) || err == nil && openai.PartsOf(item.Message, number) == nil {
		err = notFound("The conversation has no item '" + c.Param("item") + "'.")
	}
	return conversation, item, number, err
}

func (s *Server) showConversationItem(c *gin.Context) {
	_, item, _, err := s.conversationItem(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	for _, entry := range shownItems(item) {
		if entry.ID == c.Param("item") {
			c.JSON(http.StatusOK, entry)
			return
		}
	}
	s.fail(c, notFound("The conversation has no item '"+c.Param("item")+"'."))
}

// deleteConversationItem takes an item out of the log. The answer is the conversation, as OpenAI's is.
func (s *Server) deleteConversationItem(c *gin.Context) {
	conversation, item, number, err := s.conversationItem(c)
	if err == nil {
		pick := func(message llm.Message) []int { return openai.PartsOf(message, number) }
		err = s.cfg.Conversations.RemoveItem(c.Request.Context(), conversation.Tenant, conversation.ID, item.Seq, pick)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, encodeConversation(conversation))
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
