package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

// anthropicMinBudget is the least that thinking may be given.
const anthropicMinBudget = 1024

// anthropicThinkingDocs is the page that the vendor's errors about thinking name.
const anthropicThinkingDocs = " Please consult our documentation at " +
	"https://docs.claude.com/en/docs/build-with-claude/extended-thinking"

// thinks says whether an Anthropic request turns thinking on.
func (f fields) thinks() bool {
	thinking, _ := decodeFields(f["thinking"])
	kind, _ := thinking.text("type")
	return kind == "enabled" || kind == "adaptive"
}

// anthropicAlwaysThinks says whether the model is one of those, from generation 5.1 on but for Haiku, that cannot be kept
// from thinking or made to call a tool (platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5).
func anthropicAlwaysThinks(model string) bool {
	major, minor := anthropicVersion(model)
	return (major > 5 || major == 5 && minor >= 1) && !strings.Contains(model, "haiku")
}

// anthropicThinking validates the thinking parameter, and what other parameters may be beside it.
func anthropicThinking(p *prompt, members fields) *wireError {
	// Opus 4.7 and what came after take no sampling parameters, and decide for themselves how long to think.
	adaptiveOnly := anthropicSince4(p.model, 7)
	for _, name := range []string{"temperature", "top_p", "top_k"} {
		if value, ok := members.number(name); adaptiveOnly && ok && (value != 1 || name == "top_k") {
			return anthropicInvalid("`" + name + "` is deprecated for this model.")
		}
	}
	if !members.has("thinking") {
		return nil
	}
	thinking, ok := decodeFields(members["thinking"])
	if !ok {
		return anthropicInvalid("thinking: Input should be a valid dictionary or object to extract fields from")
	}
	kind, _ := thinking.text("type")
	display, _ := thinking.text("display")
	major, _ := anthropicVersion(p.model)
	switch {
	case kind == "disabled" && anthropicAlwaysThinks(p.model):
		return anthropicInvalid("\"thinking.type.disabled\" is not supported for this model. Use \"thinking.type.adaptive\" and " +
			"\"output_config.effort\" to control thinking behavior.")
	case kind == "disabled", kind == "between_tools" && anthropicSince4(p.model, 9):
		return nil
	case kind != "enabled" && kind != "adaptive":
		return anthropicInvalid("thinking: Input tag '" + kind + "' found using 'type' does not match any of the expected tags: " +
			"'adaptive', 'disabled', 'enabled'")
	case display != "" && display != "summarized" && display != "omitted":
		return anthropicInvalid("thinking." + kind + ".display: Input should be 'summarized' or 'omitted'")
	case kind == "adaptive" && thinking.has("budget_tokens"):
		return anthropicInvalid("thinking.adaptive.budget_tokens: Extra inputs are not permitted")
	case kind == "adaptive" && major > 0 && !anthropicSince4(p.model, 6):
		return anthropicInvalid("adaptive thinking is not supported on this model")
	case kind == "enabled" && adaptiveOnly:
		return anthropicInvalid("\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and " +
			"\"output_config.effort\" to control thinking behavior.")
	}
	if kind == "enabled" {
		if refused := anthropicBudget(p, thinking); refused != nil {
			return refused
		}
	}
	if value, ok := members.number("temperature"); ok && value != 1 {
		return anthropicInvalid("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode." +
			anthropicThinkingDocs)
	}
	if members.has("top_k") {
		return anthropicInvalid("`top_k` must be unset when thinking is enabled or in adaptive mode." + anthropicThinkingDocs)
	}
	if value, ok := members.number("top_p"); ok && value < 0.95 {
		return anthropicInvalid("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive " +
			"mode." + anthropicThinkingDocs)
	}
	p.thinking = true
	p.hideThinking = display == "omitted" || display == "" && adaptiveOnly
	return nil
}

func anthropicBudget(p *prompt, thinking fields) *wireError {
	budget, ok := thinking.number("budget_tokens")
	switch {
	case !thinking.has("budget_tokens"):
		return anthropicInvalid("thinking.enabled.budget_tokens: Field required")
	case !ok || budget != float64(int(budget)):
		return anthropicInvalid("thinking.enabled.budget_tokens: Input should be a valid integer")
	case budget < anthropicMinBudget:
		return anthropicInvalid(fmt.Sprintf("thinking.enabled.budget_tokens: Input should be greater than or equal to %d",
			anthropicMinBudget))
	case int(budget) >= p.maxTokens:
		return anthropicInvalid("`max_tokens` must be greater than `thinking.budget_tokens`." + anthropicThinkingDocs +
			"#max-tokens-and-context-window-size")
	}
	return nil
}

// anthropicThought is the thinking as it is shown: in words, in its signature only, or encrypted.
func anthropicThought(p *prompt, a shapedAnswer) anthropicBlockOut {
	if a.RedactReasoning {
		return anthropicBlockOut{Type: "redacted_thinking", Data: anthropicRedacted(p)}
	}
	text := a.Reasoning
	if p.hideThinking {
		text = ""
	}
	signature := signThought(p.vendor, p.model, text)
	return anthropicBlockOut{Type: "thinking", Thinking: &text, Signature: &signature}
}

// anthropicRedacted is what stands for thinking that was encrypted.
func anthropicRedacted(p *prompt) string { return signThought(p.vendor, p.model, "redacted_thinking") }

// anthropicReplay checks what the conversation brings back: the thinking is the vendor's own and where it belongs, and the
// conversation does not end with words put into a newer model's mouth.
func anthropicReplay(p *prompt, members fields) *wireError {
	var messages []anthropicMessageIn
	_ = json.Unmarshal(members["messages"], &messages) // read before
	for i := range messages {
		if json.Unmarshal(messages[i].Content, &messages[i].blocks) != nil {
			messages[i].blocks = nil
		}
		for j, block := range messages[i].blocks {
			if refused := block.checkThinking(p, fmt.Sprintf("messages.%d.content.%d", i, j)); refused != nil {
				return refused
			}
		}
		if blocks := messages[i].blocks; messages[i].Role == "assistant" && len(blocks) > 0 &&
			strings.HasSuffix(blocks[len(blocks)-1].Type, "thinking") {
			return anthropicInvalid(fmt.Sprintf("messages.%d: The final block in an assistant message cannot be `thinking`.", i))
		}
	}
	last := messages[len(messages)-1]
	if last.Role == "assistant" && anthropicSince4(p.model, 6) {
		return anthropicInvalid("This model does not support assistant message prefill. The conversation must end with a user " +
			"message.")
	}
	thinking, _ := decodeFields(members["thinking"])
	if kind, _ := thinking.text("type"); kind == "enabled" {
		return anthropicLoop(messages)
	}
	return nil
}

// checkThinking verifies a block of thinking.
func (block *anthropicBlockIn) checkThinking(p *prompt, at string) *wireError {
	switch block.Type {
	case "thinking":
		switch {
		case block.Signature == nil:
			return anthropicInvalid(at + ".thinking.signature: Field required")
		case block.Thinking == nil:
			return anthropicInvalid(at + ".thinking.thinking: Field required")
		case !thoughtSigned(p.vendor, p.model, *block.Thinking, *block.Signature):
			return anthropicInvalid(at + ": Invalid `signature` in `thinking` block")
		}
	case "redacted_thinking":
		switch {
		case block.Data == nil:
			return anthropicInvalid(at + ".redacted_thinking.data: Field required")
		case *block.Data != anthropicRedacted(p):
			return anthropicInvalid(at + ": Invalid `data` in `redacted_thinking` block")
		}
	}
	return nil
}

// anthropicLoop wants thinking at the beginning of the answer that is still open: the last one that calls tools, if their
// results end the conversation, or one that the conversation ends with.
func anthropicLoop(messages []anthropicMessageIn) *wireError {
	at := len(messages) - 1
	if messages[at].Role == "user" {
		if len(messages[at].results()) == 0 || at == 0 {
			return nil
		}
		at--
	}
	found := "text"
	if len(messages[at].blocks) > 0 {
		found = messages[at].blocks[0].Type
	}
	if found == "thinking" || found == "redacted_thinking" {
		return nil
	}
	return anthropicInvalid(fmt.Sprintf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. "+
		"When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set "+
		"of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this "+
		"requirement, disable `thinking`.", at, found) + anthropicThinkingDocs) // the vendor's spelling
}
