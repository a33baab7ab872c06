package e2e_test

import (
	"sync"
	"testing"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/holdfast-dev/holdfast/simulator"
)

// spoken is a route to one simulated vendor, by which the tests of dialects go.
type spoken struct {
	route  string
	vendor simulator.Vendor
	model  string
	// target is the model as the configuration names it, with more settings behind a blank.
	target string
	// thinks says that the vendor shows thoughts to whoever asks for them.
	thinks bool
	// reads says that it takes PDFs, and sees that it takes pictures.
	reads, sees bool
}

// spokenVendors is a route to each of the simulated vendors, and to each API of those that have several.
func spokenVendors() []spoken {
	return []spoken{
		{route: "spoken-openai", vendor: simulator.OpenAI, model: "gpt-4.1-spoken", target: "openai/gpt-4.1-spoken", reads: true, sees: true},
		{route: "spoken-responses", vendor: simulator.OpenAI, model: "gpt-5.5-spoken", target: "openai/responses/gpt-5.5-spoken", thinks: true, reads: true, sees: true},
		{route: "spoken-claude", vendor: simulator.Anthropic, model: "claude-sonnet-4-5-spoken", target: "anthropic/claude-sonnet-4-5-spoken", thinks: true, reads: true, sees: true},
		{route: "spoken-gemini", vendor: simulator.Gemini, model: "gemini-2.5-flash-spoken", target: "gemini/gemini-2.5-flash-spoken", reads: true, sees: true},
		{route: "spoken-gemini-3", vendor: simulator.Gemini, model: "gemini-3-pro-preview-spoken", target: "gemini/gemini-3-pro-preview-spoken", thinks: true, reads: true, sees: true},
		{route: "spoken-azure", vendor: simulator.AzureOpenAI, model: "gpt-4.1", target: "azure/gpt-4.1", sees: true},
		{route: "spoken-vertex", vendor: simulator.VertexAI, model: "gemini-3-pro-preview", target: "vertex/gemini-3-pro-preview vertex_project: spoken, vertex_location: global", thinks: true, reads: true, sees: true},
		{
			route: "spoken-bedrock", vendor: simulator.Bedrock, model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", thinks: true, reads: true, sees: true,
			target: "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0 aws_region_name: us-east-1",
		},
		{route: "spoken-ollama", vendor: simulator.Ollama, model: "qwen3:8b", target: "ollama/qwen3:8b"},
		{route: "spoken-mistral", vendor: simulator.Mistral, model: "mistral-large-latest", target: "mistral/mistral-large-latest"},
		{route: "spoken-cohere", vendor: simulator.Cohere, model: "command-a-03-2025", target: "cohere/command-a-03-2025"},
	}
}

// dialectRoutes are the routes of the tests of dialects; those with faults have models of their own.
func dialectRoutes() [][]string {
	routes := [][]string{
		{"response-slow", "openai/gpt-response-slow"},
		{"response-background", "openai/gpt-response-background"},
		{"response-once", "openai/gpt-response-once"},
		{"response-slow-stream", "openai/gpt-response-slow-stream"},
		{"response-tools", "openai/gpt-response-tools"},
		{"written-at-once", "openai/gpt-written-at-once"},
		{"branched", "openai/gpt-branched"},
		{"stored", "openai/gpt-stored"},
		{"stored-other", "anthropic/claude-stored-other"},
		{"message-failing", "openai/gpt-message-failing"},
	}
	for _, s := range spokenVendors() {
		routes = append(routes, []string{s.route, s.target})
	}
	return routes
}

var vertexKey sync.Once

// speaking is the standing instance with a token for Vertex AI, which is never called without one.
func speaking(t *testing.T) (*instance, providers) {
	t.Helper()
	long(t)
	holdfast, providers := standing.use(t)
	vertexKey.Do(func() {
		command(t, "ya29.spoken", nil, "keys", "add", "vertex", "--name", "spoken", "--data", holdfast.dir)
	})
	return holdfast, providers
}

// openAI is OpenAI's own SDK, which repeats nothing by itself.
func (c client) openAI() openaisdk.Client {
	return openaisdk.NewClient(option.WithBaseURL(c.base+"/v1"), option.WithAPIKey(c.token), option.WithMaxRetries(0))
}

// anthropic is Anthropic's own SDK, which repeats nothing by itself and reads nothing from the environment.
func (c client) anthropic(opts ...anthropicoption.RequestOption) anthropicsdk.Client {
	all := []anthropicoption.RequestOption{
		anthropicoption.WithoutEnvironmentDefaults(), anthropicoption.WithBaseURL(c.base), anthropicoption.WithMaxRetries(0),
	}
	if len(opts) == 0 {
		opts = []anthropicoption.RequestOption{anthropicoption.WithAPIKey(c.token)}
	}
	return anthropicsdk.NewClient(append(all, opts...)...)
}

// said is a plain text as the input of a response.
func said(text string) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfString: openaisdk.String(text)}
}

// items is a list as the input of a response.
func items(list ...responses.ResponseInputItemUnionParam) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfInputItemList: list}
}

// userSaid is a user's message as an item.
func userSaid(text string) responses.ResponseInputItemUnionParam {
	return responses.ResponseInputItemParamOfMessage(text, responses.EasyInputMessageRoleUser)
}

// toolSaid is what a function gave, as an item.
func toolSaid(callID, output string) responses.ResponseInputItemUnionParam {
	item := responses.ResponseInputItemParamOfFunctionCallOutput(output)
	item.OfFunctionCallOutput.CallID = openaisdk.String(callID)
	return item
}

// functions declares functions that take a city, in the form of Responses.
func functions(names ...string) []responses.ToolUnionParam {
	tools := make([]responses.ToolUnionParam, 0, len(names))
	for _, name := range names {
		tools = append(tools, responses.ToolUnionParam{OfFunction: &responses.FunctionToolParam{
			Name: name, Description: openaisdk.String("What there is in a city."), Parameters: citySchema(), Strict: openaisdk.Bool(false),
		}})
	}
	return tools
}

// citySchema is an object with one text that must be there.
func citySchema() map[string]any {
	return map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}}
}

// requireNoRefusal requires that no vendor was sent what it refuses: each answers 400 to what the true one would not take.
func requireNoRefusal(t testing.TB, providers providers, models ...string) {
	t.Helper()
	for _, vendor := range simulator.Vendors() {
		for _, call := range providers.Completions(vendor) {
			for _, model := range models {
				if call.Model == model && call.Status == 400 {
					t.Errorf("%s refused a request for %s: %s", vendor, model, call.Body)
				}
			}
		}
	}
}
