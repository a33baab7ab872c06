package anthropic

import "encoding/json"

// elsewhere are the parameters of Anthropic's that would change the answer and cannot be honoured here. They are refused by
// name, unless they ask for nothing.
type elsewhere struct {
	Container           json.RawMessage `json:"container"`
	MCPServers          json.RawMessage `json:"mcp_servers"`
	Speed               json.RawMessage `json:"speed"`
	InferenceGeo        json.RawMessage `json:"inference_geo"`
	Betas               json.RawMessage `json:"betas"`
	AnthropicBeta       json.RawMessage `json:"anthropic_beta"`
	Compaction          json.RawMessage `json:"compaction"`
	Fallbacks           json.RawMessage `json:"fallbacks"`
	FallbackCreditToken json.RawMessage `json:"fallback_credit_token"`
}

func (e *elsewhere) check() error {
	for _, p := range []struct {
		name  string
		value json.RawMessage
		// nothing is a value by which nothing is asked for, beside null and empty ones.
		nothing, words string
	}{
		{"container", e.Container, "", "Containers are Anthropic's own: run code in the client, by a tool of its own."},
		{"mcp_servers", e.MCPServers, "", "Connect the client to the MCP servers, and declare their tools as tools with an input_schema."},
		{"speed", e.Speed, `"standard"`, "Only the speed standard is served."},
		{"inference_geo", e.InferenceGeo, `"global"`, "Where a model runs is set by the operator, by the targets of a route."},
		{"betas", e.Betas, "", "Beta features of one vendor are not served."},
		{"anthropic_beta", e.AnthropicBeta, "", "Beta features of one vendor are not served."},
		{"compaction", e.Compaction, "", "Say \"holdfast\": {\"overflow\": \"summarise\"} to have a long conversation told in short."},
		{"fallbacks", e.Fallbacks, "", "Fallbacks are set by the operator, in the configuration of the route."},
		{"fallback_credit_token", e.FallbackCreditToken, "", "Fallbacks are set by the operator, in the configuration of the route."},
	} {
		switch string(compact(p.value)) {
		case "", "null", "[]", "{}", p.nothing:
		default:
			return invalid(p.name, codeParameter, "Unsupported parameter. %s", p.words)
		}
	}
	return nil
}
