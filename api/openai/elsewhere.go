package openai

import "strings"

// elsewhere says, of a parameter that other gateways know, where what it is for is found here; empty for any other.
func elsewhere(name string) string {
	switch name {
	case "num_retries", "max_retries":
		return "It is set by the operator, as num_retries in the configuration."
	case "timeout", "request_timeout", "stream_timeout":
		return "The time allowed is set by the operator. Let the client wait as long as it likes; the answer can be read later."
	case "context_window_fallbacks", "content_policy_fallbacks":
		return "These fallbacks are set by the operator, in the configuration."
	case "preferred_min_throughput", "preferred_max_latency":
		return "Say provider.sort: throughput or latency."
	case "mock_response", "mock_timeout", "mock_delay", "mock_tool_calls":
		return simulated
	}
	if strings.HasPrefix(name, "mock_testing_") {
		return simulated
	}
	return ""
}

const simulated = "To see what happens when providers fail, let an operator break the simulated ones: holdfast simulate --help."
