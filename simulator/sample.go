package simulator

import (
	"encoding/json"
	"strings"
)

// maxSampleDepth stops schemas that contain themselves.
const maxSampleDepth = 8

// schemaNode is the part of JSON Schema, and of Gemini's OpenAPI subset, that making up a value needs.
type schemaNode struct {
	Type       schemaType            `json:"type"`
	Properties map[string]schemaNode `json:"properties"`
	Required   []string              `json:"required"`
	Items      *schemaNode           `json:"items"`
	MinItems   flexibleInt           `json:"minItems"`
	Enum       []any                 `json:"enum"`
	Const      any                   `json:"const"`
	Default    any                   `json:"default"`
	Minimum    *float64              `json:"minimum"`
	Format     string                `json:"format"`
	AnyOf      []schemaNode          `json:"anyOf"`
	OneOf      []schemaNode          `json:"oneOf"`
	AllOf      []schemaNode          `json:"allOf"`
	Ref        string                `json:"$ref"`
	Defs       map[string]schemaNode `json:"$defs"`
	OldDefs    map[string]schemaNode `json:"definitions"`
}

// schemaType is one type, also where a schema lists several ("type": ["string", "null"]), in lower case.
type schemaType string

func (t *schemaType) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = schemaType(strings.ToLower(one))
		return nil
	}
	var several []string
	if err := json.Unmarshal(data, &several); err != nil {
		return err
	}
	for _, name := range several {
		if !strings.EqualFold(name, "null") {
			*t = schemaType(strings.ToLower(name))
			return nil
		}
	}
	*t = "null"
	return nil
}

// flexibleInt is a number that Gemini's JSON writes as a string ("minItems": "2").
type flexibleInt int

func (n *flexibleInt) UnmarshalJSON(data []byte) error {
	var value json.Number
	if err := json.Unmarshal([]byte(strings.Trim(string(data), `"`)), &value); err != nil {
		return err
	}
	whole, err := value.Int64()
	*n = flexibleInt(whole)
	return err
}

// sample makes up a small value that satisfies the schema, as JSON; {} for no schema, or one that cannot be read. The same
// schema always gives the same value.
func sample(schema []byte) string {
	if len(schema) == 0 {
		return "{}"
	}
	var node schemaNode
	if json.Unmarshal(schema, &node) != nil {
		return "{}"
	}
	if node.Type == "" && node.Properties == nil && node.Ref == "" && node.AnyOf == nil && node.AllOf == nil {
		node.Type = "object"
	}
	sampler := sampler{defs: node.Defs, old: node.OldDefs}
	value, err := json.Marshal(sampler.value(&node, "", 0))
	if err != nil {
		return "{}"
	}
	return string(value)
}

type sampler struct {
	defs, old map[string]schemaNode
}

func (s *sampler) value(node *schemaNode, name string, depth int) any {
	if depth > maxSampleDepth {
		return nil
	}
	switch {
	case node.Const != nil:
		return node.Const
	case len(node.Enum) > 0:
		return node.Enum[0]
	case node.Default != nil:
		return node.Default
	case node.Ref != "":
		target := s.resolve(node.Ref)
		return s.value(&target, name, depth+1)
	case len(node.AnyOf) > 0:
		return s.value(&node.AnyOf[0], name, depth+1)
	case len(node.OneOf) > 0:
		return s.value(&node.OneOf[0], name, depth+1)
	case len(node.AllOf) > 0:
		return s.value(&node.AllOf[0], name, depth+1)
	}
	switch {
	case node.Type == "object" || node.Type == "" && node.Properties != nil:
		return s.object(node, depth)
	case node.Type == "array":
		return s.array(node, name, depth)
	case node.Type == "integer" || node.Type == "number":
		if node.Minimum != nil && *node.Minimum > 1 {
			return *node.Minimum
		}
		return 1
	case node.Type == "boolean":
		return true
	case node.Type == "null":
		return nil
	default:
		return sampleText(name, node.Format)
	}
}

func (s *sampler) object(node *schemaNode, depth int) any {
	names := node.Required
	if len(names) == 0 {
		for name := range node.Properties {
			names = append(names, name)
		}
	}
	object := make(map[string]any, len(names))
	for _, name := range names {
		property := node.Properties[name]
		object[name] = s.value(&property, name, depth+1)
	}
	return object
}

func (s *sampler) array(node *schemaNode, name string, depth int) any {
	values := []any{}
	if node.Items == nil {
		return values
	}
	for range max(1, min(int(node.MinItems), 16)) {
		values = append(values, s.value(node.Items, name, depth+1))
	}
	return values
}

func (s *sampler) resolve(ref string) schemaNode {
	if name, ok := strings.CutPrefix(ref, "#/$defs/"); ok {
		return s.defs[name]
	}
	return s.old[strings.TrimPrefix(ref, "#/definitions/")]
}

// sampleText makes up a string that fits the name of the property.
func sampleText(name, format string) string {
	switch format {
	case "date":
		return "2026-01-31"
	case "date-time":
		return "2026-01-31T12:00:00Z"
	case "email":
		return "ada@example.com"
	case "uri", "url":
		return "https://example.com/"
	case "uuid":
		return "5f0c2c1e-7d0b-4f5e-9a55-0b6c1f3a2d10"
	}
	lower := strings.ToLower(name)
	for _, known := range []struct{ part, text string }{
		{"city", "Paris"},
		{"location", "Paris"},
		{"country", "France"},
		{"email", "ada@example.com"},
		{"date", "2026-01-31"},
		{"url", "https://example.com/"},
		{"query", "weather in Paris"},
		{"name", "Ada"},
		{"currency", "EUR"},
		{"unit", "celsius"},
	} {
		if strings.Contains(lower, known.part) {
			return known.text
		}
	}
	return "example"
}
