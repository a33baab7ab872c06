package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

// problem is an error as a client may read it, in OpenAI's shape. Cause is for the log alone.
type problem struct {
	status     int
	kind       string // OpenAI's error.type
	code       string
	param      string
	message    string
	retryAfter time.Duration
	// final tells OpenAI's SDKs not to repeat the request by themselves.
	final bool
	cause error
}

func (p *problem) Error() string { return p.message }

func (p *problem) Unwrap() error { return p.cause }

func invalid(param, code, message string) *problem {
	return &problem{status: http.StatusBadRequest, kind: "invalid_request_error", code: code, param: param, message: message}
}

func notFound(message string) *problem {
	return &problem{status: http.StatusNotFound, kind: "invalid_request_error", code: "not_found", message: message}
}

func unauthorized() *problem {
	return &problem{
		status: http.StatusUnauthorized, kind: "invalid_request_error", code: "invalid_api_key",
		message: "Incorrect API key provided. Send a Holdfast token as \"Authorization: Bearer …\".",
	}
}

func unavailable(message string, cause error) *problem {
	return &problem{
		status: http.StatusServiceUnavailable, kind: "server_error", code: "temporarily_unavailable", message: message,
		retryAfter: 2 * time.Second, cause: cause,
	}
}

// problemOf is what a client reads for an error that the layers below return.
func problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, completions.ErrNotFound):
		return notFound("No such completion.")
	case errors.Is(err, completions.ErrNoPrevious):
		return invalid("previous_response_id", "previous_response_not_found", "The previous response is not on record: it was not stored, has been deleted, or has no answer yet.")
	case errors.Is(err, completions.ErrErased):
		return &problem{
			status: http.StatusGone, kind: "invalid_request_error", code: "content_erased", final: true,
			message: "This Idempotency-Key was used before, for a request whose content has been erased.",
		}
	case errors.Is(err, completions.ErrOpen):
		return &problem{
			status: http.StatusConflict, kind: "invalid_request_error", code: "completion_running", final: true,
			message: "The completion is still running. Cancel it, or wait for its end.",
		}
	case errors.Is(err, conversations.ErrNotFound):
		return notFound("No such conversation.")
	case errors.Is(err, completions.ErrKeyReused):
		return &problem{
			status: http.StatusConflict, kind: "invalid_request_error", code: "idempotency_key_reused", final: true,
			message: "This Idempotency-Key was used before with another request body.",
		}
	case errors.Is(err, conversations.ErrBusy):
		return &problem{
			status: http.StatusConflict, kind: "invalid_request_error", code: "conversation_busy",
			message: "Another completion is running on this conversation.", retryAfter: time.Second,
		}
	case postgres.IsUnstorable(err):
		return invalid("", "invalid_value", "A text holds a character that cannot be kept: U+0000, or what is not UTF-8.")
	case postgres.IsUnavailable(err), errors.Is(err, access.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return unavailable("The service cannot take requests at the moment. Try again shortly.", err)
	default:
		return &problem{
			status: http.StatusInternalServerError, kind: "server_error", code: "internal_error",
			message: "The request could not be processed.", cause: err,
		}
	}
}

// failureOf is what a client reads about a completion that no provider answered.
func failureOf(c completions.Completion) *problem {
	failure := c.Error
	if failure == nil {
		failure = &llm.Error{Kind: llm.KindUnknown}
	}
	switch failure.Kind {
	case llm.KindCallerFault:
		return invalid(failure.Param, orElse(failure.Code, "invalid_request"), "The model rejected the request as invalid.")
	case llm.KindContextLength:
		return invalid("messages", "context_length_exceeded", "The messages do not fit the model's context window.")
	case llm.KindContentPolicy, llm.KindRefusal:
		return invalid("", "content_policy_violation", "The request was refused by the model's content policy.")
	case llm.KindUnsupported:
		return invalid(failure.Param, "unsupported_by_model", "No model of this route can do what the request asks.")
	case llm.KindCredential:
		return &problem{
			status: http.StatusBadGateway, kind: "server_error", code: "upstream_credentials_exhausted", final: true,
			message: "No model could be reached with the credentials at hand.",
		}
	case llm.KindTimeout:
		return &problem{
			status: http.StatusGatewayTimeout, kind: "server_error", code: "deadline_exceeded", final: true,
			message: "No model answered within the time allowed.",
		}
	case llm.KindCancelled:
		return &problem{
			status: 499, kind: "invalid_request_error", code: "cancelled", message: "The completion was cancelled.", final: true,
		}
	case llm.KindUnknown, llm.KindModelAccess, llm.KindModelGone, llm.KindRegionBlocked, llm.KindQuota, llm.KindRateLimit,
		llm.KindOverloaded, llm.KindTransient, llm.KindStreamBroken, llm.KindBadOutput:
	}
	return &problem{
		status: http.StatusServiceUnavailable, kind: "server_error", code: "no_model_available",
		message:    "No model could answer this request at the moment.",
		retryAfter: min(max(failure.RetryAfter, 5*time.Second), time.Hour),
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// fail writes the error's public form and logs its cause.
func (s *Server) fail(c *gin.Context, err error) {
	p := problemOf(err)
	if p.cause != nil && !errors.Is(p.cause, context.Canceled) {
		s.cfg.Logger.ErrorContext(c.Request.Context(), "request failed", "path", c.FullPath(), "status", p.status, "error", p.cause)
	}
	if p.retryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	if p.final {
		c.Header("X-Should-Retry", "false") // honoured by OpenAI's SDKs
	}
	c.AbortWithStatusJSON(p.status, encodeFailure(c, p.failure(c.Writer.Header().Get(headerID))))
}

// failure is the problem as a dialect tells it; id is the completion's, empty if there is none.
func (p *problem) failure(id string) dialect.Failure {
	return dialect.Failure{
		Status: p.status, Kind: p.kind, Code: p.code, Param: p.param, Message: p.message, CompletionID: id, RetryAfter: p.retryAfter,
	}
}
