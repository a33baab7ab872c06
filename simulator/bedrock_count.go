package simulator

import "strings"

// bedrockCount is the end of the path of CountTokens
// (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html).
const bedrockCount = "count-tokens"

var _ tokenCounter = bedrockProtocol{}

// bedrockCounted is the request within one for its tokens. Counted are those of Claude's models, by the names of the models
// themselves: those of inference profiles are refused, though they are what most models are called by.
func bedrockCounted(model string, members fields) (fields, *wireError) {
	if !strings.HasPrefix(model, "anthropic.claude-") {
		return nil, bedrockInvalid("The provided model doesn't support counting tokens.")
	}
	input, ok := decodeFields(members["input"])
	if !ok {
		return nil, bedrockInvalid("1 validation error detected: Value null at 'input' failed to satisfy constraint: Member must not be null")
	}
	converse, ok := decodeFields(input["converse"])
	if !ok { // an encoded body of InvokeModel, which this service does not read
		return nil, bedrockInvalid("The provided request is not valid")
	}
	return converse, nil
}

func (bedrockProtocol) countTokens(p *prompt) []byte {
	return encode(map[string]int{"inputTokens": p.tokens})
}
