package responses_test

import (
	"context"
	"iter"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3/option"
	sdkresponses "github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
	"github.com/holdfast-dev/holdfast/providers/openai"
	"github.com/holdfast-dev/holdfast/providers/openai/responses"
)

const (
	model    = "gpt-4.1"
	thinking = "gpt-5.2"
)

// driver makes calls with the codec, as little as an adapter can be.
type driver struct {
	service sdkresponses.ResponseService
}

func open(t testing.TB, baseURL string, client *http.Client) llm.Provider {
	t.Helper()
	base, err := wire.BaseURL(baseURL)
	require.NoError(t, err)
	return driver{sdkresponses.NewResponseService(option.WithBaseURL(base.String()), option.WithHTTPClient(wire.NewClient(client)), option.WithMaxRetries(0))}
}

// openAdapter is the codec within the adapter that it is made for, whose classifier knows what the errors in answers mean. The
// errors by status are that adapter's too: its own tests hold them.
func openAdapter(t testing.TB, baseURL string, client *http.Client) llm.Provider {
	t.Helper()
	provider, err := openai.New(openai.Config{BaseURL: baseURL, HTTPClient: client, API: "responses"})
	require.NoError(t, err)
	return provider
}

func origin(model string) llm.Origin { return llm.Origin{Provider: "openai", Model: model} }

func failed(status int) func(responses.Failure) *llm.Error {
	return func(f responses.Failure) *llm.Error {
		if f.Kind == "" {
			f.Kind = llm.KindUnknown
		}
		return &llm.Error{Kind: f.Kind, Provider: "openai", Status: status, Code: wire.Code(f.Code), Param: wire.Param(f.Param), Detail: f.Detail}
	}
}

func (d driver) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	params, warnings, err := responses.Params(req, origin(req.Model))
	if err != nil {
		return llm.Response{}, err
	}
	return wire.Complete(ctx, wire.Call{
		Provider: "openai", Auth: auth(key), Model: req.Model, Warnings: warnings, Strict: req.Strict,
		Send: func(ctx context.Context) error {
			_, err := d.service.New(ctx, params)
			return err
		},
		Classify: statusOnly,
		Whole: func(answer wire.Answer) (llm.Response, *llm.Error) {
			response, failure := responses.Read(answer.Body, origin(req.Model))
			if failure != nil {
				return llm.Response{}, failed(answer.Status)(*failure)
			}
			return response, nil
		},
	})
}

func statusOnly(answer wire.Answer) *llm.Error {
	return &llm.Error{Kind: wire.KindOfStatus(answer.Status), Status: answer.Status}
}

func (d driver) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	params, warnings, err := responses.Params(req, origin(req.Model))
	if err != nil {
		return llm.Failed(err)
	}
	return wire.Stream(ctx, wire.Call{
		Provider: "openai", Auth: auth(key), Framing: wire.SSE, Model: req.Model, Warnings: warnings, Strict: req.Strict,
		Send: func(ctx context.Context) error {
			_, err := d.service.New(ctx, params, option.WithJSONSet("stream", true))
			return err
		},
		Classify: statusOnly,
		Decoder: func(answer wire.Answer) wire.Decoder {
			return responses.NewDecoder(origin(req.Model), failed(answer.Status))
		},
	})
}

func auth(key llm.Secret) wire.Auth {
	return wire.Auth{Header: "Authorization", Prefix: "Bearer ", Key: key}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, model, "", good(t))
}

func TestRequestsOfReasoningModels(t *testing.T) {
	t.Parallel()
	providertest.Requests(t, open, thinking, ".reasoning", good(t))
}

func TestStreamRequests(t *testing.T) {
	t.Parallel()
	providertest.StreamRequests(t, open, thinking, providertest.StreamAnswer{Type: "text/event-stream", Body: file(t, "testdata/stream/text.sse")}, "text", "tool_parallel")
}

func TestResponses(t *testing.T) {
	t.Parallel()
	providertest.Responses(t, openAdapter, thinking, nil)
}

func TestStreams(t *testing.T) {
	t.Parallel()
	providertest.Streams(t, openAdapter, thinking, nil)
}

func FuzzRequests(f *testing.F) { providertest.FuzzRequests(f, open, thinking, good(f)) }

func FuzzAnswers(f *testing.F) { providertest.FuzzAnswers(f, open, thinking, good(f)) }

func FuzzStreams(f *testing.F) { providertest.FuzzStreams(f, open, thinking) }
