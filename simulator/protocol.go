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

// reply is what the headers of an answer tell about it.
type reply struct {
	requestID  string
	operation  Operation
	now        time.Time
	processing time.Duration
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
}

// prompt is a validated request, as far as answering it needs.
type prompt struct {
	model    string
	messages []byte
	body     []byte
	// text is that of the last user message.
	text string
	// results holds what tools answered, if the conversation ends with their answers.
	results []string
	tools   []tool
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
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1beta/"):
		return Gemini
	case strings.HasPrefix(r.URL.Path, "/v1/messages"), r.Header.Get("Anthropic-Version") != "":
		return Anthropic
	default:
		return OpenAI
	}
}
