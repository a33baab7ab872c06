package anthropic_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/anthropic"
	"github.com/holdfast-dev/holdfast/api/dialect"
)

func TestBadRequestsAreExplained(t *testing.T) {
	t.Parallel()
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	cases := map[string]struct{ body, param, code string }{
		"not JSON":               {`{`, "", "invalid_json"},
		"no object":              {`[]`, "", "invalid_type"},
		"two values":             {string(body(``)) + ` {}`, "", "invalid_json"},
		"a stray bracket":        {string(body(``)) + `}`, "", "invalid_json"},
		"no model":               {`{"max_tokens":9,` + hi + `}`, "model", "missing_required_parameter"},
		"no max_tokens":          {`{"model":"m",` + hi + `}`, "max_tokens", "missing_required_parameter"},
		"filling the cache":      {`{"model":"m","max_tokens":0,` + hi + `}`, "max_tokens", "unsupported_value"},
		"fewer than no tokens":   {`{"model":"m","max_tokens":-1,` + hi + `}`, "max_tokens", "invalid_value"},
		"no messages":            {`{"model":"m","max_tokens":9}`, "messages", "missing_required_parameter"},
		"unknown parameter":      {string(body(`,"modle":1`)), "modle", "unknown_parameter"},
		"another dialect's":      {string(body(`,"n":2`)), "n", "unknown_parameter"},
		"wrong type":             {string(body(`,"temperature":"hot"`)), "temperature", "invalid_type"},
		"too hot":                {string(body(`,"temperature":1.1`)), "temperature", "invalid_value"},
		"top_p":                  {string(body(`,"top_p":1.1`)), "top_p", "invalid_value"},
		"top_k":                  {string(body(`,"top_k":-1`)), "top_k", "invalid_value"},
		"service tier":           {string(body(`,"service_tier":"flex"`)), "service_tier", "invalid_value"},
		"blank stop":             {string(body(`,"stop_sequences":["x"," "]`)), "stop_sequences.1", "invalid_value"},
		"metadata":               {string(body(`,"metadata":{"k":"v"}`)), "metadata.k", "unknown_parameter"},
		"system image":           {string(body(`,"system":[{"type":"image"}]`)), "system.0.type", "unsupported_value"},
		"system of no blocks":    {string(body(`,"system":5`)), "system", "invalid_type"},
		"whole hint":             {string(body(`,"cache_control":{"type":"eternal"}`)), "cache_control.type", "invalid_value"},
		"hint's time":            {string(body(`,"system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1d"}}]`)), "system.0.cache_control.ttl", "invalid_value"},
		"context management":     {string(body(`,"context_management":[]`)), "context_management", "invalid_type"},
		"container":              {string(body(`,"container":"c"`)), "container", "unsupported_parameter"},
		"MCP servers":            {string(body(`,"mcp_servers":[{"url":"u"}]`)), "mcp_servers", "unsupported_parameter"},
		"speed":                  {string(body(`,"speed":"fast"`)), "speed", "unsupported_parameter"},
		"inference geo":          {string(body(`,"inference_geo":"us"`)), "inference_geo", "unsupported_parameter"},
		"betas":                  {string(body(`,"betas":["x"]`)), "betas", "unsupported_parameter"},
		"another way to betas":   {string(body(`,"anthropic_beta":["x"]`)), "anthropic_beta", "unsupported_parameter"},
		"compaction":             {string(body(`,"compaction":{"type":"auto"}`)), "compaction", "unsupported_parameter"},
		"fallbacks":              {string(body(`,"fallbacks":[{"model":"x"}]`)), "fallbacks", "unsupported_parameter"},
		"credit":                 {string(body(`,"fallback_credit_token":"x"`)), "fallback_credit_token", "unsupported_parameter"},
		"hosted tool":            {string(body(`,"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":3}]`)), "tools.0.type", "unsupported_value"},
		"client's own kind":      {string(body(`,"tools":[{"name":"f","input_schema":{}},{"type":"bash_20250124","name":"bash"}]`)), "tools.1.type", "unsupported_value"},
		"unnamed tool":           {string(body(`,"tools":[{"input_schema":{}}]`)), "tools.0.name", "missing_required_parameter"},
		"tool without schema":    {string(body(`,"tools":[{"name":"f"}]`)), "tools.0.input_schema", "missing_required_parameter"},
		"schema not an object":   {string(body(`,"tools":[{"name":"f","input_schema":[]}]`)), "tools.0.input_schema", "invalid_type"},
		"another dialect's tool": {string(body(`,"tools":[{"name":"f","parameters":{}}]`)), "tools.0.parameters", "unknown_parameter"},
		"tool's hint":            {string(body(`,"tools":[{"name":"f","input_schema":{},"cache_control":{}}]`)), "tools.0.cache_control.type", "invalid_value"},
		"a tool that is none":    {string(body(`,"tools":["f"]`)), "tools.0", "invalid_type"},
		"tool choice":            {string(body(`,"tool_choice":{"type":"maybe"}`)), "tool_choice.type", "invalid_value"},
		"mode of the other":      {string(body(`,"tool_choice":"auto"`)), "tool_choice", "invalid_type"},
		"unnamed choice":         {string(body(`,"tool_choice":{"type":"tool"}`)), "tool_choice.name", "missing_required_parameter"},
		"unknown thinking":       {string(body(`,"thinking":{"type":"deep"}`)), "thinking.type", "invalid_value"},
		"no budget":              {string(body(`,"thinking":{"type":"enabled"}`)), "thinking.budget_tokens", "missing_required_parameter"},
		"small budget":           {string(body(`,"thinking":{"type":"enabled","budget_tokens":1023}`)), "thinking.budget_tokens", "invalid_value"},
		"display":                {string(body(`,"thinking":{"type":"adaptive","display":"all"}`)), "thinking.display", "invalid_value"},
		"thinking's members":     {string(body(`,"thinking":{"type":"adaptive","depth":1}`)), "thinking.depth", "unknown_parameter"},
		"effort":                 {string(body(`,"output_config":{"effort":"heroic"}`)), "output_config.effort", "invalid_value"},
		"task budget":            {string(body(`,"output_config":{"task_budget":{"total":1}}`)), "output_config.task_budget", "unsupported_parameter"},
		"format":                 {string(body(`,"output_config":{"format":{"type":"xml"}}`)), "output_config.format.type", "invalid_value"},
		"no schema":              {string(body(`,"output_config":{"format":{"type":"json_schema"}}`)), "output_config.format.schema", "missing_required_parameter"},
		"schema of a list":       {string(body(`,"output_format":{"type":"json_schema","schema":[]}`)), "output_format.schema", "invalid_type"},
		"two formats":            {string(body(`,"output_format":{"type":"json_schema","schema":{}},"output_config":{"format":{"type":"json_schema","schema":{}}}`)), "output_format", "invalid_value"},
		"empty conversation":     {string(body(`,"conversation":""`)), "conversation", "invalid_value"},
		"conversation's form":    {string(body(`,"conversation":[]`)), "conversation", "invalid_type"},
		"stream failure":         {string(body(`,"holdfast":{"on_stream_failure":"cry"}`)), "holdfast.on_stream_failure", "invalid_value"},
		"disconnect":             {string(body(`,"holdfast":{"on_disconnect":"cry"}`)), "holdfast.on_disconnect", "invalid_value"},
		"overflow":               {string(body(`,"holdfast":{"overflow":"spill"}`)), "holdfast.overflow", "invalid_value"},
		"unknown handling":       {string(body(`,"holdfast":{"x":1}`)), "holdfast.x", "unknown_parameter"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireInvalid(t, c.body, c.param, c.code)
		})
	}
}

func TestBadMessagesAreExplained(t *testing.T) {
	t.Parallel()
	user := func(blocks string) string { return `{"role":"user","content":[` + blocks + `]}` }
	assistant := func(blocks string) string {
		return `{"role":"assistant","content":[` + blocks + `]},` + user(`{"type":"text","text":"x"}`)
	}
	cases := map[string]struct{ messages, param, code string }{
		"unknown role":            {`{"role":"robot","content":"x"}`, "messages.0.role", "invalid_value"},
		"no role":                 {`{"content":"x"}`, "messages.0.role", "invalid_value"},
		"no message":              {`"x"`, "messages.0", "invalid_type"},
		"empty user":              {user(``), "messages.0.content", "missing_required_parameter"},
		"empty text":              {`{"role":"user","content":""}`, "messages.0.content", "missing_required_parameter"},
		"empty system":            {`{"role":"system","content":[ ]}`, "messages.0.content", "missing_required_parameter"},
		"empty assistant":         {assistant(``), "messages.0.content", "missing_required_parameter"},
		"only an empty prefill":   {`{"role":"assistant","content":""}`, "messages", "missing_required_parameter"},
		"only another's thoughts": {`{"role":"assistant","content":[{"type":"redacted_thinking","data":"xyz"}]}`, "messages", "missing_required_parameter"},
		"content":                 {`{"role":"user","content":5}`, "messages.0.content", "invalid_type"},
		"block":                   {user(`"x"`), "messages.0.content.0", "invalid_type"},
		"block without type":      {user(`{"text":"x"}`), "messages.0.content.0.type", "missing_required_parameter"},
		"unknown block":           {user(`{"type":"text","text":"x"},{"type":"video"}`), "messages.0.content.1.type", "unsupported_value"},
		"text's type":             {user(`{"type":"text","text":5}`), "messages.0.content.0.text", "invalid_type"},
		"hint":                    {user(`{"type":"text","text":"x","cache_control":{"type":"x"}}`), "messages.0.content.0.cache_control.type", "invalid_value"},
		"search result":           {user(`{"type":"search_result","source":"s","title":"t","content":[]}`), "messages.0.content.0.type", "unsupported_value"},
		"upload":                  {user(`{"type":"container_upload","file_id":"f"}`), "messages.0.content.0.type", "unsupported_value"},
		"user's thought":          {user(`{"type":"thinking","thinking":"x"}`), "messages.0.content.0.type", "unsupported_value"},
		"cleared message":         {`{"role":"system","content":"x","clear_at":"next_user_message"}`, "messages.0.clear_at", "unsupported_value"},
		"message's effort":        {`{"role":"system","content":"x","output_config":{"effort":"low"}}`, "messages.0.output_config", "unsupported_parameter"},
		"system's image":          {`{"role":"system","content":[{"type":"image"}]}`, "messages.0.content.0.type", "unsupported_value"},
		"no source":               {user(`{"type":"image"}`), "messages.0.content.0.source", "missing_required_parameter"},
		"image by id":             {user(`{"type":"image","source":{"type":"file","file_id":"f"}}`), "messages.0.content.0.source.type", "unsupported_value"},
		"image's source":          {user(`{"type":"image","source":{"type":"text","data":"f"}}`), "messages.0.content.0.source.type", "invalid_value"},
		"no base64":               {user(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"!"}}`), "messages.0.content.0.source.data", "invalid_value"},
		"no image":                {user(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGVsbG8="}}`), "messages.0.content.0.source.data", "invalid_value"},
		"local file":              {user(`{"type":"image","source":{"type":"url","url":"file:///etc/passwd"}}`), "messages.0.content.0.source.url", "invalid_value"},
		"image of no other size":  {user(`{"type":"image","source":{"type":"url","url":"https://x"},"transformations":{"oversized_image":"error"}}`), "messages.0.content.0.transformations.oversized_image", "unsupported_value"},
		"document by id":          {user(`{"type":"document","source":{"type":"file","file_id":"f"}}`), "messages.0.content.0.source.type", "unsupported_value"},
		"document's type":         {user(`{"type":"document","source":{"type":"base64","media_type":"text/html","data":""}}`), "messages.0.content.0.source.media_type", "invalid_value"},
		"no PDF":                  {user(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"aGVsbG8="}}`), "messages.0.content.0.source.data", "invalid_value"},
		"empty document":          {user(`{"type":"document","source":{"type":"text","data":" "}}`), "messages.0.content.0.source.data", "missing_required_parameter"},
		"document of pictures":    {user(`{"type":"document","source":{"type":"content","content":[{"type":"image"}]}}`), "messages.0.content.0.source.content.0.type", "unsupported_value"},
		"cited document":          {user(`{"type":"document","source":{"type":"text","data":"x"},"citations":{"enabled":true}}`), "messages.0.content.0.citations.enabled", "unsupported_value"},
		"result of nothing":       {user(`{"type":"tool_result","content":"x"}`), "messages.0.content.0.tool_use_id", "missing_required_parameter"},
		"result's block":          {user(`{"type":"tool_result","tool_use_id":"c","content":[{"type":"search_result"}]}`), "messages.0.content.0.content.0.type", "unsupported_value"},
		"result's content":        {user(`{"type":"tool_result","tool_use_id":"c","content":5}`), "messages.0.content.0.content", "invalid_type"},
		"binary text":             {user(`{"type":"document","source":{"type":"text","data":"a\u0000b"}}`), "messages.0.content.0.source.data", "invalid_value"},
		"transformation":          {user(`{"type":"image","source":{"type":"url","url":"https://x"},"transformations":{"x":1}}`), "messages.0.content.0.transformations.x", "unknown_parameter"},
		"citations' form":         {user(`{"type":"document","source":{"type":"text","data":"x"},"citations":[]}`), "messages.0.content.0.citations", "invalid_type"},
		"result's hint":           {user(`{"type":"tool_result","tool_use_id":"c","cache_control":{"type":"x"}}`), "messages.0.content.0.cache_control.type", "invalid_value"},
		"assistant's result":      {assistant(`{"type":"tool_result","tool_use_id":"c"}`), "messages.0.content.0.type", "unsupported_value"},
		"assistant's image":       {assistant(`{"type":"image"}`), "messages.0.content.0.type", "unsupported_value"},
		"compacted turn":          {assistant(`{"type":"compaction","content":"x"}`), "messages.0.content.0.type", "unsupported_value"},
		"call without id":         {assistant(`{"type":"tool_use","name":"f","input":{}}`), "messages.0.content.0.id", "missing_required_parameter"},
		"call without name":       {assistant(`{"type":"tool_use","id":"c","input":{}}`), "messages.0.content.0.name", "missing_required_parameter"},
		"call's input":            {assistant(`{"type":"tool_use","id":"c","name":"f","input":"{}"}`), "messages.0.content.0.input", "invalid_type"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireInvalid(t, string(turns(c.messages)), c.param, c.code)
		})
	}
}

func TestWrongTypesAreNamed(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]string{
		`,"temperature":"hot"`: "Input should be a number, not a string.", `,"stream":1`: "Input should be true or false, not a number.",
		`,"top_k":1.5`: "Input should be a whole number, not a number.", `,"tools":{}`: "Input should be a list, not an object.",
		`,"system":true`: "Input should be a string or a list of blocks.", `,"service_tier":[]`: "Input should be a string, not a list.",
		`,"metadata":false`: "Input should be an object, not true or false.",
	} {
		_, err := anthropic.DecodeMessages(body(members))
		require.EqualError(t, err, want, members)
	}
}

func requireInvalid(t *testing.T, body, param, code string) {
	t.Helper()
	_, err := anthropic.DecodeMessages([]byte(body))
	var invalid *dialect.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, param, invalid.Param, invalid.Message)
	require.Equal(t, code, invalid.Code, invalid.Message)
	require.NotEmpty(t, invalid.Message)
}
