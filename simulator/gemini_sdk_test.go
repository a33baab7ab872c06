package simulator_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/simulator"
)

func geminiTools(names ...string) []*genaisdk.Tool {
	var declarations []*genaisdk.FunctionDeclaration
	for _, name := range names {
		declarations = append(declarations, &genaisdk.FunctionDeclaration{Name: name, ParametersJsonSchema: weatherSchema})
	}
	return []*genaisdk.Tool{{FunctionDeclarations: declarations}}
}

func TestGeminiSDKReadsATextAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	response, err := w.gemini.Models.GenerateContent(t.Context(), "gemini-2.5-flash", genaisdk.Text("hello there"),
		&genaisdk.GenerateContentConfig{SystemInstruction: genaisdk.NewContentFromText("Be brief.", genaisdk.RoleUser)})
	require.NoError(t, err)
	require.Equal(t, "[gemini/gemini-2.5-flash] You said: hello there", response.Text())
	require.Equal(t, genaisdk.FinishReasonStop, response.Candidates[0].FinishReason)
	require.Equal(t, "model", response.Candidates[0].Content.Role)
	require.Equal(t, "gemini-2.5-flash", response.ModelVersion)
	require.NotEmpty(t, response.ResponseID)
	usage := response.UsageMetadata
	require.Positive(t, usage.PromptTokenCount)
	require.Positive(t, usage.CandidatesTokenCount)
	require.Equal(t, usage.PromptTokenCount+usage.CandidatesTokenCount, usage.TotalTokenCount)
}

func TestGeminiSDKToolRoundTrip(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"gemini-2.5-flash", "gemini-3-pro-preview"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			w := setup(t, simulator.Options{})
			config := &genaisdk.GenerateContentConfig{Tools: geminiTools("get_weather", "get_time")}
			contents := genaisdk.Text("call the tools get_weather and get_time")
			first, err := w.gemini.Models.GenerateContent(t.Context(), model, contents, config)
			require.NoError(t, err)
			calls := first.FunctionCalls()
			require.Len(t, calls, 2)
			require.Equal(t, "get_weather", calls[0].Name)
			require.Equal(t, map[string]any{"city": "Paris", "days": 1.0}, calls[0].Args)
			require.Equal(t, genaisdk.FinishReasonStop, first.Candidates[0].FinishReason)
			newer := model == "gemini-3-pro-preview"
			require.Equal(t, newer, calls[0].ID != "", "ids come with the newer models only")
			parts := first.Candidates[0].Content.Parts
			require.Equal(t, newer, len(parts[0].ThoughtSignature) > 0, "so do signatures")
			require.Empty(t, parts[1].ThoughtSignature)

			contents = append(contents, first.Candidates[0].Content, &genaisdk.Content{Role: genaisdk.RoleUser, Parts: []*genaisdk.Part{
				genaisdk.NewPartFromFunctionResponse("get_weather", map[string]any{"output": "sunny"}),
				genaisdk.NewPartFromFunctionResponse("get_time", map[string]any{"output": "noon"}),
			}})
			second, err := w.gemini.Models.GenerateContent(t.Context(), model, contents, config)
			require.NoError(t, err)
			require.Contains(t, second.Text(), `The tool answered: {"output":"sunny"}; {"output":"noon"}`)

			parts[0].ThoughtSignature = nil
			_, err = w.gemini.Models.GenerateContent(t.Context(), model, contents, config)
			require.Equal(t, newer, err != nil, "newer models insist on the signature")
			parts[0].ThoughtSignature = []byte("made up")
			_, err = w.gemini.Models.GenerateContent(t.Context(), model, contents, config)
			require.Equal(t, newer, err != nil, "and on it being theirs")
			parts[0].ThoughtSignature = []byte("skip_thought_signature_validator")
			_, err = w.gemini.Models.GenerateContent(t.Context(), model, contents, config)
			require.NoError(t, err, "the documented stand-in is taken")
		})
	}
}

func TestGeminiToolChoiceAndLimits(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	ask := func(config genaisdk.GenerateContentConfig) *genaisdk.GenerateContentResponse {
		response, err := w.gemini.Models.GenerateContent(t.Context(), "gemini-2.5-flash", genaisdk.Text("one two three four"), &config)
		require.NoError(t, err)
		return response
	}
	forced := ask(genaisdk.GenerateContentConfig{Tools: geminiTools("a", "b"), ToolConfig: &genaisdk.ToolConfig{
		FunctionCallingConfig: &genaisdk.FunctionCallingConfig{
			Mode: genaisdk.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{"b"},
		},
	}})
	require.Equal(t, "b", forced.FunctionCalls()[0].Name)
	cut := ask(genaisdk.GenerateContentConfig{MaxOutputTokens: 3})
	require.Equal(t, genaisdk.FinishReasonMaxTokens, cut.Candidates[0].FinishReason)
	require.Equal(t, int32(3), cut.UsageMetadata.CandidatesTokenCount)
	stopped := ask(genaisdk.GenerateContentConfig{StopSequences: []string{" three"}})
	require.Equal(t, "[gemini/gemini-2.5-flash] You said: one two", stopped.Text())
	object := ask(genaisdk.GenerateContentConfig{ResponseMIMEType: "application/json", ResponseJsonSchema: weatherSchema})
	require.JSONEq(t, `{"city":"Paris","days":1}`, object.Text())
}

func TestGeminiSDKListsModels(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{Models: map[simulator.Vendor][]string{simulator.Gemini: {"gemini-x"}}})
	page, err := w.gemini.Models.List(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, "models/gemini-x", page.Items[0].Name)
}

// detail finds one of the details of an error by its type.
func detail(t *testing.T, err genaisdk.APIError, kind string) string {
	t.Helper()
	for _, d := range err.Details {
		if d["@type"] == "type.googleapis.com/google.rpc."+kind {
			data, marshalErr := json.Marshal(d)
			require.NoError(t, marshalErr)
			return string(data)
		}
	}
	return ""
}

func TestGeminiSDKReadsEachError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		fault          simulator.Fault
		status         int
		kind           string
		detail, within string
	}{
		{"bad request", simulator.Fault{Status: 400}, 400, "INVALID_ARGUMENT", "", ""},
		{"bad key", simulator.Fault{Code: "invalid_api_key"}, 400, "INVALID_ARGUMENT", "ErrorInfo", "API_KEY_INVALID"},
		{"bad token", simulator.Fault{Status: 401}, 401, "UNAUTHENTICATED", "ErrorInfo", "ACCESS_TOKEN_TYPE_UNSUPPORTED"},
		{"permission", simulator.Fault{Status: 403}, 403, "PERMISSION_DENIED", "", ""},
		{"no model", simulator.Fault{Status: 404}, 404, "NOT_FOUND", "", ""},
		{"rate limit", simulator.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}, 429, "RESOURCE_EXHAUSTED", "RetryInfo", `"1.5s"`},
		{"which limit", simulator.Fault{Code: "rate_limit_exceeded"}, 429, "RESOURCE_EXHAUSTED", "QuotaFailure", "PerMinute"},
		{"no quota", simulator.Fault{Code: "insufficient_quota"}, 429, "RESOURCE_EXHAUSTED", "QuotaFailure", "PerDay"},
		{"misleading wait", simulator.Fault{Code: "insufficient_quota"}, 429, "RESOURCE_EXHAUSTED", "RetryInfo", `"22s"`},
		{"own quota", simulator.Fault{Status: 429, Code: "MyQuota"}, 429, "RESOURCE_EXHAUSTED", "QuotaFailure", "MyQuota"},
		{"own status", simulator.Fault{Status: 400, Type: "FAILED_PRECONDITION"}, 400, "FAILED_PRECONDITION", "", ""},
		{"server error", simulator.Fault{Status: 500}, 500, "INTERNAL", "", ""},
		{"overloaded", simulator.Fault{Code: "overloaded"}, 503, "UNAVAILABLE", "", ""},
		{"timeout", simulator.Fault{Status: 504}, 504, "DEADLINE_EXCEEDED", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, simulator.Options{})
			w.sim.SetFault(simulator.Gemini, test.fault)
			_, err := w.gemini.Models.GenerateContent(t.Context(), "gemini-2.5-flash", genaisdk.Text("hi"), nil)
			var apiError genaisdk.APIError
			require.True(t, errors.As(err, &apiError), "%v", err)
			require.Equal(t, test.status, apiError.Code)
			require.Equal(t, test.kind, apiError.Status)
			require.NotEmpty(t, apiError.Message)
			if test.detail != "" {
				require.Contains(t, detail(t, apiError, test.detail), test.within)
			}
		})
	}
}

func TestGeminiSDKReadsABlockedPrompt(t *testing.T) {
	t.Parallel()
	w := setup(t, simulator.Options{})
	w.sim.SetFault(simulator.Gemini, simulator.Fault{Code: "content_policy_violation"})
	response, err := w.gemini.Models.GenerateContent(t.Context(), "gemini-2.5-flash", genaisdk.Text("hi"), nil)
	require.NoError(t, err)
	require.Empty(t, response.Candidates)
	require.Equal(t, genaisdk.BlockedReasonProhibitedContent, response.PromptFeedback.BlockReason)
}
