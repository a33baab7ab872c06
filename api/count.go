package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
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
	if err == nil {
		err = s.recall(c.Request.Context(), tenantOf(c), &request)
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

// recall puts before a request what was said in the conversation, or up to the response, that it goes on from.
func (s *Server) recall(ctx context.Context, tenant string, request *dialect.Request) error {
	id, until := request.ConversationID, int64(0)
	switch {
	case request.PreviousID != "":
		outcome, err := s.cfg.Record.Outcome(ctx, tenant, request.PreviousID)
		if err == nil {
			id = outcome.Completion.ConversationID
			until, err = s.cfg.Conversations.AnswerPlace(ctx, id, request.PreviousID)
		}
		if errors.Is(err, completions.ErrNotFound) || errors.Is(err, conversations.ErrNotFound) {
			return completions.ErrNoPrevious
		}
		if err != nil {
			return err
		}
	case id == "":
		return nil
	case !conversations.ValidID(id):
		return conversations.ErrNotFound
	default:
		if _, err := s.cfg.Conversations.Find(ctx, tenant, id); err != nil {
			return err
		}
	}
	log, err := s.cfg.Conversations.Items(ctx, id, 0, 0)
	if err != nil {
		return err
	}
	if until > 0 {
		log = slices.DeleteFunc(log, func(item conversations.Item) bool { return item.Seq > until })
	}
	request.Messages = append(replay.Messages(log), request.Messages...)
	return nil
}
