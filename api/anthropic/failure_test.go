package anthropic_test

import (
	"encoding/json"
	"testing"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
)

func TestFailuresHaveAnthropicsTypes(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
		405: "invalid_request_error", 409: "invalid_request_error", 413: "request_too_large", 429: "rate_limit_error", 499: "api_error",
		500: "api_error", 502: "api_error", 503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error", 0: "api_error",
	} {
		require.Equal(t, want, anthropic.EncodeFailure(dialect.Failure{Status: status}).Error.Type, status)
	}
}

func TestAFailureIsEncoded(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(anthropic.EncodeFailure(dialect.Failure{
		Status: 400, Kind: "invalid_request_error", Code: "invalid_value", Param: "messages[0].content", Message: "Wrong.", CompletionID: "msg_1",
	}))
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"error","error":{"type":"invalid_request_error","message":"messages.0.content: Wrong."},"request_id":"msg_1",
		"holdfast":{"code":"invalid_value"}}`, string(encoded))
	var shape anthropicsdk.ErrorResponse
	require.NoError(t, json.Unmarshal(encoded, &shape))
	require.Equal(t, "msg_1", shape.RequestID)
}

func TestTheMessageOfAFailureSaysItsParameter(t *testing.T) {
	t.Parallel()
	for want, failure := range map[string]dialect.Failure{
		"Wrong.":                         {Message: "Wrong."},
		"model: None.":                   {Param: "model", Message: "None."},
		"model 'x' is none.":             {Param: "model", Message: "model 'x' is none."},
		"tools[0]: wrong.":               {Param: "tools[0]", Message: "tools[0]: wrong."},
		"prompt is too long: It is.":     {Code: "context_length_exceeded", Message: "It is."},
		"prompt is too long: m: Too.":    {Code: "context_length_exceeded", Param: "m", Message: "Too."},
		"prompt is too long: 9 > 8 said": {Code: "context_length_exceeded", Message: "prompt is too long: 9 > 8 said"},
	} {
		require.Equal(t, want, anthropic.EncodeFailure(failure).Error.Message)
	}
}

func TestModelsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	names, created := []string{"a", "b", "c", "d", "e"}, time.Unix(1700000000, 5).In(time.FixedZone("", 3600))
	for query, want := range map[[3]string]struct {
		ids  string
		more bool
	}{
		{"", "", ""}: {"abcde", false}, {"2", "", ""}: {"ab", true}, {"2", "b", ""}: {"cd", true}, {"2", "d", ""}: {"e", false}, {"2", "e", ""}: {"", false},
		{"2", "", "d"}: {"bc", true}, {"9", "", "d"}: {"abc", false}, {"", "", "a"}: {"", false}, {"", "gone", ""}: {"", false}, {"", "", "gone"}: {"", false},
	} {
		page, err := anthropic.DecodePage(query[0], query[1], query[2])
		require.NoError(t, err)
		list := anthropic.EncodeModels(names, created, page)
		var ids string
		for _, model := range list.Data {
			ids += model.ID
		}
		require.Equal(t, want.ids, ids, query)
		require.Equal(t, want.more, list.HasMore, query)
	}
	for _, query := range [][3]string{{"0"}, {"1001"}, {"many"}, {"", "a", "b"}} {
		_, err := anthropic.DecodePage(query[0], query[1], query[2])
		var invalid *dialect.InvalidError
		require.ErrorAs(t, err, &invalid)
	}
	encoded, err := json.Marshal(anthropic.EncodeModels(names[:1], created, anthropic.Page{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"data":[{"type":"model","id":"a","display_name":"a","created_at":"2023-11-14T22:13:20Z"}],"has_more":false,"first_id":"a","last_id":"a"}`, string(encoded))
	encoded, err = json.Marshal(anthropic.EncodeModels(nil, created, anthropic.Page{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"data":[],"has_more":false,"first_id":null,"last_id":null}`, string(encoded))
	var model anthropicsdk.ModelInfo
	encoded, err = json.Marshal(anthropic.EncodeModel("a", created))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(encoded, &model))
	require.Equal(t, created.Unix(), model.CreatedAt.Unix())
}

func TestTheCountOfTokensIsEncoded(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(anthropic.EncodeTokenCount(7))
	require.NoError(t, err)
	require.JSONEq(t, `{"input_tokens":7}`, string(encoded))
}
