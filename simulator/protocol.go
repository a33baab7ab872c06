package simulator

import (
	"net/http"
	"strings"
	"time"
)

// protocol is what differs between the vendors. Implementations hold no state.
type protocol interface {
	// route says what the request asks for, from its path; the model if the path names it.
	route(r *http.Request) (operation Operation, model string, refused *wireError)
	// key is the API key that the request carries; empty if none.
	key(r *http.Request) string
	// badKey is the answer to a key that is not accepted.
	badKey(r *http.Request, key string) *wireError
	// parse reads and validates a completion. The prompt is returned as far as it could be read, also with an error.
	parse(r *http.Request, model string, body []byte) (*prompt, *wireError)
	// render writes the answer to a completion.
	render(p *prompt, a shapedAnswer, mint *idSource, now time.Time) []byte
	// stream writes the answer to a streamed completion as the pieces that leave one after the other.
	stream(p *prompt, a shapedAnswer, mint *idSource, now time.Time) []frame
	// streamType is the Content-Type of a streamed answer.
	streamType() string
	// streamError writes an error that comes inside a stream (after status 200).
	streamError(e *wireError, requestID string) []byte
	// embed writes the answer to a request for embeddings.
	embed(p *prompt, vectors [][]float32, mint *idSource) []byte
	// listModels writes the answer to GET models.
	listModels(models []string) []byte
	// unknownModel is the answer to a model that does not exist.
	unknownModel(model string) *wireError
	// faultError is the error that a failing fault stands for.
	faultError(f *Fault, model string) *wireError
	// errorBody writes an error.
	errorBody(e *wireError, requestID string) []byte
	// requestID mints the id of a call.
	requestID(mint *idSource) string
	// headers sets what every answer carries; e is nil unless the answer is an error.
	headers(h http.Header, reply *reply, e *wireError)
}

// tokenCounter is a protocol that also answers [OperationCountTokens].
type tokenCounter interface {
	countTokens(p *prompt) []byte
}

// reply is what the headers of an answer tell about it.
type reply struct {
	requestID  string
	operation  Operation
	now        time.Time
	processing time.Duration
	// limits are what is left of the vendor's limits after the call.
	limits limits
}

// wireError is a vendor's error before it is written in the vendor's shape.
type wireError struct {
	status     int
	kind       string // OpenAI's and Anthropic's error.type, Gemini's error.status
	code       string // OpenAI's error.code, Anthropic's error.details.error_code
	param      string // OpenAI's error.param
	message    string
	retryAfter time.Duration
	details    []any // Gemini's error.details

	// dialect and events say what stands before an error inside a stream: the dialect of the request, and how many events
	// have been sent.
	dialect dialect
	events  int
}

// frame is one event of a stream as it stands on the wire, separators included.
type frame struct {
	data []byte
	// content says that the frame carries a part of the answer.
	content bool
	// terminal says that the frame ends a good stream.
	terminal bool
}

// dialect tells apart the ways of asking that one vendor has. The zero value is the vendor's main one.
type dialect string

// prompt is a validated request, as far as answering it needs.
type prompt struct {
	model    string
	messages []byte
	body     []byte
	// text is that of the last user message.
	text string
	// results holds what tools answered, if the conversation ends with their answers.
	results []string
	// begun is the answer that the request may ask to go on with; nil if there is none.
	begun *begunAnswer
	tools []tool
	// forced says that a tool must be called; choice which one, if the request says. forbidden that none may be.
	forced    bool
	forbidden bool
	choice    string
	// single says that the request forbids parallel calls.
	single    bool
	maxTokens int // 0 is no limit
	stop      []string
	// schema is that of the JSON asked for instead of text; nil for text.
	schema  []byte
	tokens  int // of the prompt
	choices int // how many answers are asked for
	// stream says that the answer is to come as a stream, includeUsage that it is to tell usage where that must be asked for.
	stream       bool
	includeUsage bool
	// streamAs replaces the Content-Type of the stream, where a vendor has more than one.
	streamAs string
	dialect  dialect
	// texts are the inputs of a request for embeddings; dimensions is the size asked for, 0 for the model's own; base64
	// asks for the numbers in that encoding.
	texts      []string
	dimensions int
	base64     bool
	// thinking says that the request asks for the model's reasoning to be shown.
	thinking bool
	// logprobs says that the request asks for the probability of each token, and of so many others.
	logprobs    bool
	topLogprobs int
	images      int // how many pictures came with the request
	// vendor is who serves the request, where a signature depends on it.
	vendor Vendor
	// hideThinking shows of the thinking the signature only.
	hideThinking bool
	// responses holds what OpenAI's Responses asks for; nil in other dialects.
	responses *responsesAsked
	// signed says that Gemini's function calls carry ids and thought signatures, as those of newer models do.
	signed bool
}

type tool struct {
	name   string
	schema []byte
}

// countTokens estimates as the vendors' own documentation does: four characters a token.
func countTokens(chars int) int { return (chars + 3) / 4 }

// vendorOf tells the vendors apart on one port.
func vendorOf(r *http.Request) Vendor {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/v1beta/"):
		return Gemini
	case strings.HasPrefix(path, "/openai/"):
		return AzureOpenAI
	case strings.HasPrefix(path, "/v1/projects/"), strings.HasPrefix(path, "/v1beta1/projects/"):
		return VertexAI
	case strings.HasPrefix(path, "/model/"), strings.HasPrefix(path, "/foundation-models"):
		return Bedrock
	case strings.HasPrefix(path, "/api/"):
		return Ollama
	case strings.HasPrefix(path, "/v2/"):
		return Cohere
	case strings.HasPrefix(path, "/v1/messages"), r.Header.Get("Anthropic-Version") != "":
		return Anthropic
	default:
		return OpenAI
	}
}
