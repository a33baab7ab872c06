package api

import (
	"encoding/json"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
)

// view is a completion as its client is to see it.
type view struct {
	completions.Completion
	// answer is what was said; nil if nothing was, or not yet.
	answer *llm.Response
	// shown is what of the request the dialect shows.
	shown json.RawMessage
	// usage asks for a stream's count at its end.
	usage bool
}

// form is how a dialect speaks of completions. All of them are accepted, driven and recorded alike.
type form struct {
	// dialect is its name in the record.
	dialect string
	// path is where its completions are read, before their id.
	path string
	// public is a completion's id as clients know it, and own the way back.
	public func(id string) string
	own    func(public string) (id string, ok bool)
	// body is the object of a completion that was answered, or cancelled.
	body func(view) any
	// pending is that of one without an outcome.
	pending func(view) any
	// whole says that a completion is shown by its object and status 200 however it stands; else one without an outcome is 202,
	// and one that failed has the status of its failure.
	whole bool
	// keeps says that a completion is kept for others to follow on, unless the client says otherwise.
	keeps bool
	// stream encodes the answer event by event; nil if it cannot be streamed.
	stream func(view) dialect.Stream
	// place reads the number by which clients say how far they have come: the place, and how many frames of its event they have.
	place func(number int64) (at int64, seen int)
}

func sameID(id string) string { return id }

func validID(id string) (string, bool) { return id, completions.ValidID(id) }

// chatForm is OpenAI's Chat Completions.
func chatForm() *form {
	return &form{
		dialect: completions.DialectChat, path: "/v1/chat/completions/", public: sameID, own: validID,
		body: func(v view) any {
			encoded := openai.EncodeChat(v.ID, v.AcceptedAt, answerOf(v))
			if v.State == completions.StateCancelled {
				encoded = openai.EncodeCancelled(v.ID, v.AcceptedAt, v.Route, v.answer)
			}
			encoded.Metadata = v.Metadata
			return encoded
		},
		pending: func(v view) any {
			return gin.H{"id": v.ID, "object": "chat.completion", "created": v.AcceptedAt.Unix(), "status": "in_progress", "choices": []any{}}
		},
		stream: func(v view) dialect.Stream { return openai.NewChunkEncoder(v.ID, v.AcceptedAt, v.Route, v.usage) },
		place:  wholePlace,
	}
}

// embeddingsForm is OpenAI's embeddings; base64 asks for vectors in that form.
func embeddingsForm(base64 bool) *form {
	return &form{
		dialect: completions.DialectEmbeddings, path: "/v1/embeddings/", public: sameID, own: validID,
		body: func(v view) any { return openai.EncodeEmbeddings(answerOf(v), base64) },
		pending: func(v view) any {
			return gin.H{"id": v.ID, "object": "list", "created": v.AcceptedAt.Unix(), "status": "in_progress", "data": []any{}}
		},
	}
}

// responsesForm is OpenAI's Responses.
func responsesForm() *form {
	encode := func(v view) any { return openai.EncodeResponse(responseOf(v)) }
	return &form{
		dialect: completions.DialectResponses, path: "/v1/responses/", public: openai.ResponseID, own: openai.CompletionID,
		body: encode, pending: encode, whole: true, keeps: true,
		stream: func(v view) dialect.Stream { return openai.NewResponseStream(responseOf(v)) },
		place:  openai.ParseSequence,
	}
}

func responseOf(v view) openai.ResponseView {
	response := openai.ResponseView{
		ID: v.ID, Model: v.Route, CreatedAt: v.AcceptedAt, CompletedAt: v.FinishedAt, Status: "in_progress", Shown: v.shown,
		ConversationID: v.ConversationID, Metadata: v.Metadata, Answer: v.answer, ServedFrom: string(v.ServedFrom),
	}
	switch v.State {
	case completions.StateSucceeded:
		response.Status = "completed"
	case completions.StateCancelled:
		response.Status = "cancelled"
	case completions.StateFailed:
		response.Status = "failed"
		failure := failureOf(v.Completion).failure(v.ID)
		response.Failure = &failure
	case completions.StateOpen:
		if v.Background && v.Attempts == 0 {
			response.Status = "queued"
		}
	}
	return response
}

// messagesForm is Anthropic's Messages.
func messagesForm() *form {
	const prefix = "msg_"
	return &form{
		dialect: completions.DialectMessages, path: "/v1/messages/",
		public: func(id string) string { return prefix + strings.TrimPrefix(id, "chatcmpl-") },
		own: func(public string) (string, bool) {
			rest, ok := strings.CutPrefix(public, prefix)
			id := "chatcmpl-" + rest
			return id, ok && completions.ValidID(id)
		},
		body: func(v view) any { return anthropic.EncodeMessage(messageID(v.ID), v.Route, answerOf(v)) },
		pending: func(v view) any {
			return gin.H{"id": messageID(v.ID), "type": "message", "role": "assistant", "model": v.Route, "content": []any{}, "status": "in_progress"}
		},
		stream: func(v view) dialect.Stream { return anthropic.NewStream(messageID(v.ID), v.Route) },
		place:  wholePlace,
	}
}

func messageID(id string) string { return "msg_" + strings.TrimPrefix(id, "chatcmpl-") }

// wholePlace is for dialects whose clients have all frames of the event at a place, or none.
func wholePlace(number int64) (at int64, seen int) { return number, allFrames }

func answerOf(v view) llm.Response {
	if v.answer == nil {
		return llm.Response{}
	}
	return *v.answer
}

// encodeFailure is an error in the words of the dialect that the request came in.
func encodeFailure(c *gin.Context, failure dialect.Failure) any {
	if spokenTo(c) == completions.DialectMessages {
		return anthropic.EncodeFailure(failure)
	}
	return openai.EncodeFailure(failure)
}

// spokenTo is the dialect of a request, also of one that has no endpoint, or no token.
func spokenTo(c *gin.Context) string {
	if strings.HasPrefix(c.Request.URL.Path, "/v1/messages") || c.GetHeader(headerAnthropicVersion) != "" {
		return completions.DialectMessages
	}
	return completions.DialectChat
}

// headerAnthropicVersion is sent by all clients of Anthropic's dialect.
const headerAnthropicVersion = "Anthropic-Version"
