package openai_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
)

func TestBadResponseRequestsAreExplained(t *testing.T) {
	t.Parallel()
	with := func(members string) string { return `{"model":"m","input":"hi",` + members + `}` }
	items := func(list string) string { return `{"model":"m","input":[` + list + `]}` }
	long := strings.Repeat("x", 513)
	cases := map[string]struct{ body, param, code string }{
		"not JSON":                {`{`, "", "invalid_json"},
		"two values":              {with(`"top_p":1`) + ` {}`, "", "invalid_json"},
		"no model":                {`{"input":"hi"}`, "model", "missing_required_parameter"},
		"no input":                {`{"model":"m"}`, "input", "missing_required_parameter"},
		"null input":              {`{"model":"m","input":null}`, "input", "missing_required_parameter"},
		"empty input":             {`{"model":"m","input":[]}`, "input", "missing_required_parameter"},
		"input of another type":   {`{"model":"m","input":7}`, "input", "invalid_type"},
		"unknown":                 {with(`"modle":1`), "modle", "unknown_parameter"},
		"messages":                {with(`"messages":[]`), "messages", "unsupported_parameter"},
		"max_tokens":              {with(`"max_tokens":1`), "max_tokens", "unsupported_parameter"},
		"response_format":         {with(`"response_format":{}`), "response_format", "unsupported_parameter"},
		"reasoning_effort":        {with(`"reasoning_effort":"low"`), "reasoning_effort", "unsupported_parameter"},
		"stop":                    {with(`"stop":"x"`), "stop", "unsupported_parameter"},
		"context_management":      {with(`"context_management":[]`), "context_management", "unsupported_parameter"},
		"cache options":           {with(`"prompt_cache_options":{}`), "prompt_cache_options", "unsupported_parameter"},
		"prompt template":         {with(`"prompt":{"id":"pmpt_1"}`), "prompt", "unsupported_parameter"},
		"wrong type":              {with(`"temperature":"hot"`), "temperature", "invalid_type"},
		"too hot":                 {with(`"temperature":2.1`), "temperature", "invalid_value"},
		"top_p":                   {with(`"top_p":2`), "top_p", "invalid_value"},
		"top_k":                   {with(`"top_k":0`), "top_k", "invalid_value"},
		"no tokens":               {with(`"max_output_tokens":0`), "max_output_tokens", "invalid_value"},
		"no calls":                {with(`"max_tool_calls":0`), "max_tool_calls", "invalid_value"},
		"alternatives":            {with(`"top_logprobs":21`), "top_logprobs", "invalid_value"},
		"truncation":              {with(`"truncation":"middle"`), "truncation", "invalid_value"},
		"overflow":                {with(`"holdfast":{"overflow":"spill"}`), "holdfast.overflow", "invalid_value"},
		"options of no stream":    {with(`"stream_options":{}`), "stream_options", "invalid_value"},
		"unkept background":       {with(`"background":true,"store":false`), "background", "invalid_value"},
		"both":                    {with(`"conversation":"conv_1","previous_response_id":"resp_0123456789abcdefghijklmnop"`), "conversation", "mutually_exclusive_parameters"},
		"no such response":        {with(`"previous_response_id":"resp_68"`), "previous_response_id", "previous_response_not_found"},
		"nameless conversation":   {with(`"conversation":{}`), "conversation", "invalid_value"},
		"include":                 {with(`"include":["everything"]`), "include", "invalid_value"},
		"metadata":                {with(`"metadata":{"a":"` + long + `"}`), "metadata.a", "invalid_value"},
		"metadata key":            {with(`"metadata":{"` + long + `":"a"}`), "metadata", "invalid_value"},
		"effort":                  {with(`"reasoning":{"effort":"heroic"}`), "reasoning.effort", "invalid_value"},
		"summary":                 {with(`"reasoning":{"summary":"long"}`), "reasoning.summary", "invalid_value"},
		"verbosity":               {with(`"text":{"verbosity":"chatty"}`), "text.verbosity", "invalid_value"},
		"format":                  {with(`"text":{"format":{"type":"xml"}}`), "text.format.type", "invalid_value"},
		"unnamed schema":          {with(`"text":{"format":{"type":"json_schema","schema":{}}}`), "text.format.name", "missing_required_parameter"},
		"no schema":               {with(`"text":{"format":{"type":"json_schema","name":"x","schema":[]}}`), "text.format.schema", "invalid_type"},
		"no tool":                 {with(`"tools":[7]`), "tools[0]", "invalid_type"},
		"a chat's tool":           {with(`"tools":[{"type":"function","function":{"name":"f"}}]`), "tools[0].name", "missing_required_parameter"},
		"unnamed tool":            {with(`"tools":[{"type":"function"}]`), "tools[0].name", "missing_required_parameter"},
		"tool's schema":           {with(`"tools":[{"type":"function","name":"f","parameters":[]}]`), "tools[0].parameters", "invalid_type"},
		"unknown of a tool":       {with(`"tools":[{"type":"function","name":"f","speed":1}]`), "tools[0].speed", "unknown_parameter"},
		"choice":                  {with(`"tool_choice":"maybe"`), "tool_choice", "invalid_value"},
		"choice of no form":       {with(`"tool_choice":7`), "tool_choice", "invalid_value"},
		"unnamed choice":          {with(`"tool_choice":{"type":"function"}`), "tool_choice.name", "missing_required_parameter"},
		"hosted choice":           {with(`"tool_choice":{"type":"web_search_preview"}`), "tool_choice.type", "unsupported_value"},
		"allowed mode":            {with(`"tool_choice":{"type":"allowed_tools","mode":"none","tools":[]}`), "tool_choice.mode", "invalid_value"},
		"none allowed":            {with(`"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[]}`), "tool_choice.tools", "invalid_value"},
		"unknown allowed":         {with(`"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}`), "tool_choice.tools[0]", "invalid_value"},
		"hosted allowed":          {with(`"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"mcp"}]}`), "tool_choice.tools[0]", "unsupported_value"},
		"no item":                 {items(`"hi"`), "input[0]", "invalid_type"},
		"mystery":                 {items(`{"type":"mystery"}`), "input[0].type", "unsupported_value"},
		"unknown of an item":      {items(`{"role":"user","content":"hi","mood":"good"}`), "input[0].mood", "unknown_parameter"},
		"unknown role":            {items(`{"role":"tool","content":"x"}`), "input[0].role", "invalid_value"},
		"empty user":              {items(`{"role":"user"}`), "input[0].content", "missing_required_parameter"},
		"content's type":          {items(`{"role":"user","content":7}`), "input[0].content", "invalid_type"},
		"image by id":             {items(`{"role":"user","content":[{"type":"input_image","file_id":"file-1"}]}`), "input[0].content", "unsupported_value"},
		"file by id":              {items(`{"role":"user","content":[{"type":"input_file","file_id":"file-1"}]}`), "input[0].content", "unsupported_value"},
		"image of the assistant":  {items(`{"role":"assistant","content":[{"type":"input_image","image_url":"https://x/"}]}`), "input[0].content", "unsupported_value"},
		"nameless call":           {items(`{"type":"function_call","call_id":"c"}`), "input[0]", "missing_required_parameter"},
		"output of nothing":       {items(`{"type":"function_call_output","output":"x"}`), "input[0].call_id", "missing_required_parameter"},
		"output of no type":       {items(`{"type":"function_call_output","call_id":"c","output":{}}`), "input[0].output", "invalid_type"},
		"nameless reference":      {items(`{"type":"item_reference"}`), "input[0].id", "missing_required_parameter"},
		"a thought's content":     {items(`{"type":"reasoning","content":"x"}`), "input[0].content", "invalid_type"},
		"cache control":           {items(`{"role":"user","content":"x","cache_control":{"type":"eternal"}}`), "input[0]", "invalid_value"},
		"the second item's fault": {items(`{"role":"user","content":"x"},{"type":"function_call"}`), "input[1]", "missing_required_parameter"},
	}
	for _, kind := range []string{
		"web_search", "web_search_preview", "file_search", "computer_use_preview", "code_interpreter", "image_generation", "mcp", "local_shell",
		"shell", "apply_patch", "custom", "namespace", "tool_search", "unheard_of",
	} {
		cases["tool "+kind] = struct{ body, param, code string }{with(`"tools":[{"type":"` + kind + `","x":1}]`), "tools[0].type", "unsupported_value"}
	}
	for _, kind := range []string{"web_search_call", "custom_tool_call", "computer_call", "mcp_call", "compaction"} {
		cases["item "+kind] = struct{ body, param, code string }{items(`{"type":"` + kind + `","action":{}}`), "input[0].type", "unsupported_value"}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := openai.DecodeResponse([]byte(c.body), nil)
			var invalid *dialect.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, c.param, invalid.Param)
			require.Equal(t, c.code, invalid.Code)
			require.NotEmpty(t, invalid.Message)
			if kind, ok := strings.CutPrefix(name, "tool "); ok {
				require.Contains(t, invalid.Message, "'"+kind+"'")
			}
		})
	}
}
