package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func (p bedrockProtocol) parse(r *http.Request, model string, body []byte) (*prompt, *wireError) {
	out := &prompt{model: model, body: body, choices: 1}
	if refused := bedrockAuth(r); refused != nil {
		return out, refused
	}
	if !bedrockModelID(model) {
		return out, bedrockInvalid("The provided model identifier is invalid.")
	}
	members, ok := decodeFields(body)
	if !ok {
		return out, bedrockMistyped("a structure")
	}
	if strings.HasSuffix(r.URL.Path, "/invoke") {
		return out, bedrockInvoke(out, members)
	}
	if strings.HasSuffix(r.URL.Path, "/"+bedrockCount) {
		inner, refused := bedrockCounted(model, members)
		if refused != nil {
			return out, refused
		}
		members = inner
	}
	out.messages = members["messages"]
	out.stream = strings.HasSuffix(r.URL.Path, "/converse-stream")
	request := bedrockRequest{prompt: out, claude: bedrockClaude(model)}
	for _, read := range []func(fields) *wireError{
		request.limits, request.system, request.toolConfig, request.extras, request.messagesIn, request.format,
	} {
		if refused := read(members); refused != nil {
			return out, refused
		}
	}
	if request.cachePoints > 4 {
		return out, bedrockInvalid(bedrockModelSaid+"A maximum of 4 blocks with cache_control may be provided. Found %d.",
			request.cachePoints)
	}
	return out, nil
}

// bedrockRequest is a request while it is validated. Members that it does not know are ignored, as by the service.
type bedrockRequest struct {
	*prompt
	claude      bool
	adaptive    bool // Claude decides for itself how much to think
	temperature *float64
	cachePoints int
	documents   map[string]bool // names seen
	hasTools    bool
	usesTools   bool // the conversation holds toolUse or toolResult blocks
}

// bedrockModelID says whether the text can be a model's id, an inference profile's id or an ARN.
func bedrockModelID(id string) bool {
	return isNameOf(id, "-_.:/", 2048) && (strings.ContainsAny(id, ".:") || len(id) > 3)
}

func (q *bedrockRequest) limits(members fields) *wireError {
	if !members.has("inferenceConfig") {
		return nil
	}
	config, ok := decodeFields(members["inferenceConfig"])
	if !ok {
		return bedrockMistyped("a structure")
	}
	for _, limit := range []struct {
		name      string
		low, high float64
	}{{"maxTokens", 1, 1e9}, {"temperature", 0, 1}, {"topP", 0, 1}} {
		if !config.has(limit.name) {
			continue
		}
		value, ok := config.number(limit.name)
		at := "inferenceConfig." + limit.name
		switch {
		case !ok:
			return bedrockMistyped("a number")
		case value < limit.low:
			return bedrockConstraint(at, fmt.Sprintf("Member must have value greater than or equal to %v", limit.low))
		case value > limit.high:
			return bedrockConstraint(at, fmt.Sprintf("Member must have value less than or equal to %v", limit.high))
		}
	}
	if most, ok := config.number("maxTokens"); ok {
		q.maxTokens = int(most)
	}
	if value, ok := config.number("temperature"); ok {
		q.temperature = &value
	}
	if q.claude && config.has("temperature") && config.has("topP") && claudeSince(q.model, 4, 1) {
		return bedrockInvalid(bedrockModelSaid + "`temperature` and `top_p` cannot both be specified for this model. Please use " +
			"only one.")
	}
	if config.has("stopSequences") && json.Unmarshal(config["stopSequences"], &q.stop) != nil {
		return bedrockMistyped("a list of strings")
	}
	for i, sequence := range q.stop {
		if sequence == "" {
			return bedrockConstraint(fmt.Sprintf("inferenceConfig.stopSequences.%d.member", i+1),
				"Member must have length greater than or equal to 1")
		}
		if q.claude && strings.TrimSpace(sequence) == "" {
			return bedrockInvalid(bedrockModelSaid + "stop_sequences: each stop sequence must contain non-whitespace")
		}
	}
	return nil
}

func (q *bedrockRequest) system(members fields) *wireError {
	var blocks []fields
	if members.has("system") && json.Unmarshal(members["system"], &blocks) != nil {
		return bedrockMistyped("a list of structures")
	}
	for i, block := range blocks {
		kind, refused := bedrockUnion(block, fmt.Sprintf("system.%d", i), "SystemContentBlock")
		if refused != nil {
			return refused
		}
		switch kind {
		case "text":
			text, ok := block.text("text")
			if !ok {
				return bedrockMistyped("a string")
			}
			if strings.TrimSpace(text) == "" {
				return bedrockInvalid("The text field in the SystemContentBlock object at system.%d is blank. Add text to the text "+
					"field, and try again.", i)
			}
			q.tokens += countTokens(len(text))
		case "cachePoint":
			if refused := q.cachePoint(block[kind], fmt.Sprintf("system.%d.member", i+1)); refused != nil {
				return refused
			}
		case "guardContent":
		default:
			return bedrockUnknownMember(fmt.Sprintf("system.%d", i), "SystemContentBlock")
		}
	}
	return nil
}

// bedrockUnion names the one member that a union holds.
func bedrockUnion(block fields, at, kind string) (string, *wireError) {
	found := ""
	for name := range block {
		if !block.has(name) {
			continue
		}
		if found != "" {
			return "", bedrockInvalid("The %s object at %s must set only one of its members. Remove the others and try again.",
				kind, at)
		}
		found = name
	}
	if found == "" {
		return "", bedrockUnknownMember(at, kind)
	}
	return found, nil
}

func bedrockUnknownMember(at, kind string) *wireError {
	return bedrockInvalid("The %s object at %s must set one of its members. Set a member and try again.", kind, at)
}

func (q *bedrockRequest) cachePoint(raw json.RawMessage, at string) *wireError {
	point, ok := decodeFields(raw)
	if !ok {
		return bedrockMistyped("a structure")
	}
	kind, _ := point.text("type")
	if kind == "" {
		return bedrockConstraint(at+".cachePoint.type", "Member must not be null")
	}
	if kind != "default" {
		return bedrockConstraint(at+".cachePoint.type", "Member must satisfy enum value set: [default]")
	}
	if ttl, _ := point.text("ttl"); point.has("ttl") && ttl != "5m" && ttl != "1h" {
		return bedrockConstraint(at+".cachePoint.ttl", "Member must satisfy enum value set: [5m, 1h]")
	}
	q.cachePoints++
	return nil
}

// format reads outputConfig (bedrockruntime v1.63, types.OutputConfig).
func (q *bedrockRequest) format(members fields) *wireError {
	var config struct {
		Effort     *string `json:"effort"`
		TextFormat *struct {
			Type      string `json:"type"`
			Structure struct {
				JSONSchema *struct {
					Schema *string `json:"schema"`
				} `json:"jsonSchema"`
			} `json:"structure"`
		} `json:"textFormat"`
	}
	if !members.has("outputConfig") {
		return nil
	}
	if json.Unmarshal(members["outputConfig"], &config) != nil {
		return bedrockMistyped("a structure")
	}
	if config.Effort != nil {
		switch *config.Effort {
		case "low", "medium", "high", "xhigh", "max":
		default:
			return bedrockConstraint("outputConfig.effort", "Member must satisfy enum value set: [low, medium, high, xhigh, max]")
		}
	}
	format := config.TextFormat
	if format == nil {
		return nil
	}
	if format.Type != "json_schema" {
		return bedrockConstraint("outputConfig.textFormat.type", "Member must satisfy enum value set: [json_schema]")
	}
	if format.Structure.JSONSchema == nil || format.Structure.JSONSchema.Schema == nil {
		return bedrockConstraint("outputConfig.textFormat.structure.jsonSchema.schema", "Member must not be null")
	}
	schema, ok := decodeFields([]byte(*format.Structure.JSONSchema.Schema))
	if !ok {
		return bedrockInvalid("The value at outputConfig.textFormat.structure.jsonSchema.schema is not a valid JSON schema.")
	}
	kind, _ := schema.text("type")
	if q.claude && kind == "object" && (!schema.has("additionalProperties") || schema.flag("additionalProperties")) {
		return bedrockInvalid(bedrockModelSaid + "output_config.format.schema: For 'object' type, 'additionalProperties' must be " +
			"explicitly set to false")
	}
	q.schema = []byte(*format.Structure.JSONSchema.Schema)
	return nil
}
