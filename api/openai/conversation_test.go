package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

func TestTheSDKParsesItems(t *testing.T) {
	t.Parallel()
	result := llm.Result("c1", "Here:")
	result.ToolResult.Parts = []llm.Part{llm.Image(llm.Media{URL: "https://x/2.png"})}
	var items []conversations.ConversationItemUnion
	for seq, message := range []llm.Message{
		{Role: llm.RoleSystem, Parts: []llm.Part{llm.Text("Be brief.")}},
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("See:"), llm.Image(llm.Media{URL: "https://x/1.png"}), llm.Document(llm.Media{URL: "https://x/a.pdf"})}},
		spoken().Message,
		{Role: llm.RoleTool, Parts: []llm.Part{llm.Result("c0", "done")}},
		{Role: llm.RoleTool, Parts: []llm.Part{result}},
	} {
		for _, item := range openai.Items(message, openai.ConversationItems("conv_0123456789abcdefghijklmnop", int64(seq))) {
			content, err := json.Marshal(item)
			require.NoError(t, err)
			var parsed conversations.ConversationItemUnion
			require.NoError(t, json.Unmarshal(content, &parsed))
			items = append(items, parsed)
		}
	}
	system := items[0].AsAny().(conversations.Message)
	require.Equal(t, conversations.MessageRoleSystem, system.Role)
	require.Equal(t, "Be brief.", system.Content[0].AsAny().(responses.ResponseInputText).Text)
	user := items[1].AsAny().(conversations.Message)
	require.Equal(t, "https://x/1.png", user.Content[1].AsInputImage().ImageURL)
	require.Equal(t, "https://x/a.pdf", user.Content[2].AsInputFile().FileURL)
	require.Equal(t, "Hm.", items[2].AsAny().(responses.ResponseReasoningItem).Summary[0].Text)
	require.Equal(t, "It rains.", items[3].AsMessage().Content[1].AsAny().(responses.ResponseOutputText).Text)
	require.Equal(t, "weather", items[4].AsAny().(responses.ResponseFunctionToolCallItem).Name)
	require.Equal(t, "done", items[6].AsAny().(responses.ResponseFunctionToolCallOutputItem).Output.OfString)
	require.Len(t, items[7].AsFunctionCallOutput().Output.OfOutputContentList, 2)
	require.Equal(t, "fco_0123456789abcdefghijklmnops4_0", items[7].ID)
}

func TestConversationsAreChanged(t *testing.T) {
	t.Parallel()
	metadata, err := openai.DecodeConversationUpdate([]byte(`{"metadata":{"a":"b"}}`))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "b"}, metadata)
	messages, err := openai.DecodeItems([]byte(`{"items":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}`))
	require.NoError(t, err)
	require.Equal(t, []llm.Message{
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hi")}}, {Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("c", "f", "{}")}},
	}, messages)
	many := `{"items":[` + strings.Repeat(`{"role":"user","content":"hi"},`, 20) + `{"role":"user","content":"hi"}]}`
	for name, c := range map[string]struct {
		err         func() error
		param, code string
	}{
		"too many items": {func() error { _, err := openai.DecodeItems([]byte(many)); return err }, "items", "invalid_value"},
		"too many items in the beginning": {
			func() error { _, err := openai.DecodeConversation([]byte(many)); return err }, "items", "invalid_value",
		},
		"no items":            {func() error { _, err := openai.DecodeItems([]byte(`{}`)); return err }, "items", "missing_required_parameter"},
		"unknown":             {func() error { _, err := openai.DecodeItems([]byte(`{"x":1}`)); return err }, "x", "unknown_parameter"},
		"two bodies":          {func() error { _, err := openai.DecodeItems([]byte(`{} {}`)); return err }, "", "invalid_json"},
		"reference":           {func() error { _, err := openai.DecodeItems([]byte(`{"items":[{"id":"msg_1"}]}`)); return err }, "items", "item_not_found"},
		"hosted":              {func() error { _, err := openai.DecodeItems([]byte(`{"items":[{"type":"mcp_call"}]}`)); return err }, "items[0].type", "unsupported_value"},
		"no metadata":         {func() error { _, err := openai.DecodeConversationUpdate([]byte(`{}`)); return err }, "metadata", "missing_required_parameter"},
		"metadata of numbers": {func() error { _, err := openai.DecodeConversationUpdate([]byte(`{"metadata":{"a":1}}`)); return err }, "metadata", "invalid_type"},
		"long metadata": {func() error {
			_, err := openai.DecodeConversationUpdate([]byte(`{"metadata":{"a":"` + strings.Repeat("x", 513) + `"}}`))
			return err
		}, "metadata.a", "invalid_value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var invalid *dialect.InvalidError
			require.ErrorAs(t, c.err(), &invalid)
			require.Equal(t, c.code, invalid.Code)
			require.Equal(t, c.param, invalid.Param)
		})
	}
}

func TestStoredMessages(t *testing.T) {
	t.Parallel()
	result := llm.Result("c1", "sunny")
	stored := openai.EncodeStoredMessages("chatcmpl-1", []llm.Message{
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hi")}},
		{Role: llm.RoleUser, Parts: []llm.Part{{Type: "erased"}}},
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("See:"), llm.Image(llm.Media{URL: "https://x/1.png"})}},
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("a"), llm.Text("b")}},
		{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Call("c1", "f", "{}")}},
		{Role: llm.RoleTool, Parts: []llm.Part{result}},
	})
	content, err := json.Marshal(stored)
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"id":"chatcmpl-1-0","role":"user","content":"hi","content_parts":null,"name":null,"refusal":null},
		{"id":"chatcmpl-1-2","role":"user","content":null,"name":null,"refusal":null,
			"content_parts":[{"type":"text","text":"See:"},{"type":"image_url","image_url":{"url":"https://x/1.png"}}]},
		{"id":"chatcmpl-1-3","role":"user","content":"ab","name":null,"refusal":null,"content_parts":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
		{"id":"chatcmpl-1-4","role":"assistant","content":null,"content_parts":null,"name":null,"refusal":null,
			"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"id":"chatcmpl-1-5","role":"tool","content":"sunny","content_parts":null,"name":null,"refusal":null,"tool_call_id":"c1"}]`, string(content))
	var parsed []openaisdk.ChatCompletionStoreMessage
	require.NoError(t, json.Unmarshal(content, &parsed))
	require.Equal(t, "chatcmpl-1-2", parsed[1].ID)
	require.Equal(t, "https://x/1.png", parsed[1].ContentParts[1].AsImageContentPart().ImageURL.URL)
}
