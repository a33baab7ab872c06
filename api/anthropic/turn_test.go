package anthropic_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/llm"
)

const tinyPNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="

func decoded(t *testing.T, messages string) []llm.Message {
	t.Helper()
	request, err := anthropic.DecodeMessages(turns(messages))
	require.NoError(t, err)
	return request.Messages
}

func TestAConversationIsDecoded(t *testing.T) {
	t.Parallel()
	require.Equal(t, []llm.Message{
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("Weather "), llm.Text("in Bern?")}},
		{Role: llm.RoleAssistant, Parts: []llm.Part{
			{Type: llm.PartReasoning, Text: "Hm."}, llm.Text("Let me see."), llm.Call("toolu_1", "weather", `{"city":"Bern"}`), llm.Call("toolu_2", "time", `{}`),
		}},
		{Role: llm.RoleTool, Parts: []llm.Part{llm.Result("toolu_1", "sunny")}},
		{Role: llm.RoleTool, Parts: []llm.Part{{Type: llm.PartToolResult, ToolResult: &llm.ToolResult{CallID: "toolu_2", Content: "no clock", IsError: true}}}},
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("And now?")}},
		{Role: llm.RoleSystem, Parts: []llm.Part{llm.Text("Hurry.")}},
		{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("Still ")}},
	}, decoded(t, `
		{"role": "user", "content": [{"type": "text", "text": "Weather "}, {"type": "text", "text": "in Bern?"}]},
		{"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm.", "signature": "another vendor's"}, {"type": "redacted_thinking", "data": "another vendor's"},
			{"type": "text", "text": "Let me see.", "citations": [{"type": "char_location"}]},
			{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}, "caller": {"type": "direct"}}, {"type": "tool_use", "id": "toolu_2", "name": "time"}]},
		{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}, {"type": "text", "text": "And now?"},
			{"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [{"type": "text", "text": "no clock"}]}]},
		{"role": "system", "content": "Hurry."},
		{"role": "assistant", "content": "Still "}`))
}

func TestMessagesOfTheAssistantThatFollowEachOtherAreOne(t *testing.T) {
	t.Parallel()
	require.Equal(t, []llm.Message{
		{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("hi")}},
		{Role: llm.RoleAssistant, Parts: []llm.Part{llm.Text("one"), llm.Call("c", "f", `{}`)}},
	}, decoded(t, `{"role":"user","content":"hi"},{"role":"assistant","content":"one"},{"role":"assistant","content":[{"type":"redacted_thinking","data":"x"}]},
		{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"assistant","content":[]}`))
}

func TestPicturesAndDocumentsAreDecoded(t *testing.T) {
	t.Parallel()
	png, err := base64.StdEncoding.DecodeString(tinyPNG)
	require.NoError(t, err)
	pdf := []byte("%PDF-1.4\n")
	for name, c := range map[string]struct {
		block string
		want  []llm.Part
	}{
		"image":           {`{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"` + tinyPNG + `"}}`, []llm.Part{llm.Image(llm.Media{MIME: "image/png", Data: png})}},
		"unpadded":        {`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + base64.RawStdEncoding.EncodeToString(pdf) + `"}}`, []llm.Part{llm.Document(llm.Media{MIME: "application/pdf", Data: pdf})}},
		"image's address": {`{"type":"image","source":{"type":"url","url":"https://x/1.png"},"transformations":{"oversized_image":"downsize"}}`, []llm.Part{llm.Image(llm.Media{URL: "https://x/1.png"})}},
		"cached image":    {`{"type":"image","source":{"type":"url","url":"https://x/1.png"},"cache_control":{"type":"ephemeral"}}`, []llm.Part{{Type: llm.PartImage, Media: &llm.Media{URL: "https://x/1.png"}, Cache: &llm.CacheHint{}}}},
		"PDF":             {`{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"` + base64.StdEncoding.EncodeToString(pdf) + `"}}`, []llm.Part{llm.Document(llm.Media{MIME: "application/pdf", Data: pdf, Name: "a.pdf"})}},
		"PDF's address":   {`{"type":"document","title":null,"source":{"type":"url","url":"https://x/a.pdf"},"citations":{"enabled":false}}`, []llm.Part{llm.Document(llm.Media{URL: "https://x/a.pdf"})}},
		"text":            {`{"type":"document","context":"From mum.","source":{"type":"text","media_type":"text/plain","data":"Dear."}}`, []llm.Part{llm.Text("From mum."), llm.Document(llm.Media{MIME: "text/plain", Data: []byte("Dear.")})}},
		"blocks":          {`{"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}`, []llm.Part{llm.Document(llm.Media{MIME: "text/plain", Data: []byte("a\nb")})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, decoded(t, `{"role":"user","content":[`+c.block+`]}`)[0].Parts)
		})
	}
}

func TestResultsOfToolsAreDecoded(t *testing.T) {
	t.Parallel()
	picture := llm.Image(llm.Media{URL: "https://x/1.png"})
	for name, c := range map[string]struct {
		members string
		want    llm.Part
	}{
		"nothing":    {``, llm.Result("c", "")},
		"null":       {`,"content":null`, llm.Result("c", "")},
		"text":       {`,"content":"x"`, llm.Result("c", "x")},
		"texts":      {`,"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]`, llm.Part{Type: llm.PartToolResult, ToolResult: &llm.ToolResult{CallID: "c", Content: "a", Parts: []llm.Part{llm.Text("b")}}}},
		"picture":    {`,"content":[{"type":"image","source":{"type":"url","url":"https://x/1.png"}},{"type":"text","text":"b"}]`, llm.Part{Type: llm.PartToolResult, ToolResult: &llm.ToolResult{CallID: "c", Parts: []llm.Part{picture, llm.Text("b")}}}},
		"found tool": {`,"content":[{"type":"tool_reference","tool_name":"weather"}]`, llm.Result("c", "[weather]")},
		"hint":       {`,"content":"x","cache_control":{"type":"ephemeral","ttl":"5m"}`, llm.Part{Type: llm.PartToolResult, ToolResult: &llm.ToolResult{CallID: "c", Content: "x"}, Cache: &llm.CacheHint{TTL: "5m"}}},
		"inner hint": {`,"content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]`, llm.Part{Type: llm.PartToolResult, ToolResult: &llm.ToolResult{CallID: "c", Content: "x"}, Cache: &llm.CacheHint{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decoded(t, `{"role":"user","content":[{"type":"tool_result","tool_use_id":"c"`+c.members+`}]}`)
			require.Equal(t, []llm.Message{{Role: llm.RoleTool, Parts: []llm.Part{c.want}}}, got)
		})
	}
}

func TestToolsThatAnotherGatewaysVendorRanAreToldInWords(t *testing.T) {
	t.Parallel()
	for block, want := range map[string]string{
		`{"type":"server_tool_use","id":"s","name":"web_search","input":{"query": "Bern"}}`:                                       `[web_search: {"query":"Bern"}]`,
		`{"type":"mcp_tool_use","id":"s","name":"f","server_name":"x","input":{}}`:                                                `[f]`,
		`{"type":"web_search_tool_result","tool_use_id":"s","content":[{"title":"Bern","url":"https://x"},{"url":"https://y"}]}`:  "[web_search result] 1. Bern https://x\n2. https://y",
		`{"type":"web_search_tool_result","tool_use_id":"s","content":{"type":"web_search_tool_result_error","error_code":"no"}}`: "[web_search result] error no",
		`{"type":"bash_code_execution_tool_result","tool_use_id":"s","content":{"stdout":"1","stderr":"2"}}`:                      "[bash_code_execution result] 1\n2",
		`{"type":"mcp_tool_result","tool_use_id":"s","content":[{"type":"text","text":"x"}]}`:                                     "[mcp result] x",
		`{"type":"mcp_tool_result","tool_use_id":"s","content":"x"}`:                                                              "[mcp result] x",
		`{"type":"web_fetch_tool_result","tool_use_id":"s","content":5}`:                                                          "[web_fetch result]",
	} {
		require.Equal(t, llm.Part{Type: llm.PartServerTool, Text: want}, decoded(t, `{"role":"assistant","content":[`+block+`]}`)[0].Parts[0], block)
	}
}

func TestMalformedArgumentsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		`{"malformed_arguments":"{\"city\": "}`:       `{"city": `,
		`{"malformed_arguments":"{}"}`:                `{"malformed_arguments":"{}"}`,
		`{"malformed_arguments":5}`:                   `{"malformed_arguments":5}`,
		`{"malformed_arguments":"x","another": true}`: `{"malformed_arguments":"x","another":true}`,
	} {
		got := decoded(t, `{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":`+input+`}]}`)
		require.Equal(t, want, got[0].Parts[0].ToolCall.Arguments)
	}
}
