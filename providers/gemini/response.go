package gemini

import (
	"encoding/json"

	genaisdk "google.golang.org/genai"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/render"
)

// generated is the GenerateContentResponse of https://ai.google.dev/api/generate-content, as far as it is used here: a whole
// answer, or a piece of one that is streamed.
type generated struct {
	ResponseID     string          `json:"responseId"`
	ModelVersion   string          `json:"modelVersion"`
	Candidates     []candidate     `json:"candidates"`
	PromptFeedback promptFeedback  `json:"promptFeedback"`
	UsageMetadata  json.RawMessage `json:"usageMetadata"`
	Error          json.RawMessage `json:"error"`
}

type promptFeedback struct {
	BlockReason string `json:"blockReason"`
}

type candidate struct {
	Index   int `json:"index"`
	Content struct {
		Parts []receivedPart `json:"parts"`
	} `json:"content"`
	FinishReason genaisdk.FinishReason `json:"finishReason"`
	Logprobs     *logprobs             `json:"logprobsResult"`
	Grounding    *grounding            `json:"groundingMetadata"`
	Citations    *citations            `json:"citationMetadata"`
}

// receivedPart is a part of an answer. Of the uses of Google's own tools the pieces are kept as they come.
type receivedPart struct {
	Text         string `json:"text"`
	Thought      bool   `json:"thought"`
	Signature    string `json:"thoughtSignature"`
	FunctionCall *struct {
		ID   string          `json:"id"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	ExecutableCode      json.RawMessage `json:"executableCode"`
	CodeExecutionResult json.RawMessage `json:"codeExecutionResult"`
	ToolCall            json.RawMessage `json:"toolCall"`
	ToolResponse        json.RawMessage `json:"toolResponse"`
	InlineData          json.RawMessage `json:"inlineData"`
	FileData            json.RawMessage `json:"fileData"`
}

// logprobs has one entry a token (https://ai.google.dev/api/generate-content#LogprobsResult).
type logprobs struct {
	Chosen []logprob `json:"chosenCandidates"`
	Top    []struct {
		Candidates []logprob `json:"candidates"`
	} `json:"topCandidates"`
}

type logprob struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logProbability"`
}

func (l *logprobs) canonical() []llm.TokenLogprob {
	if l == nil {
		return nil
	}
	var tokens []llm.TokenLogprob
	for i, chosen := range l.Chosen {
		token := llm.TokenLogprob{Token: chosen.Token, Logprob: chosen.Logprob}
		if i < len(l.Top) {
			for _, top := range l.Top[i].Candidates {
				token.Top = append(token.Top, llm.TokenLogprob{Token: top.Token, Logprob: top.Logprob})
			}
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// serverTool is the use of a tool of Google's as it must go back, and in words; nil if the part is none.
func (p receivedPart) serverTool() (raw json.RawMessage, words string) {
	part := make(map[string]json.RawMessage)
	for _, piece := range []struct {
		name  string
		value json.RawMessage
	}{
		{"executableCode", p.ExecutableCode},
		{"codeExecutionResult", p.CodeExecutionResult},
		{"toolCall", p.ToolCall},
		{"toolResponse", p.ToolResponse},
	} {
		if len(piece.value) > 0 && string(piece.value) != "null" {
			part[piece.name] = piece.value
			words += inWords(piece.name, piece.value)
		}
	}
	if len(part) == 0 {
		return nil, ""
	}
	if signature, err := json.Marshal(p.Signature); p.Signature != "" && err == nil {
		part["thoughtSignature"] = signature
	}
	raw, err := json.Marshal(part)
	if err != nil { // it came as JSON
		return nil, ""
	}
	return raw, words
}

func inWords(name string, value json.RawMessage) string {
	var piece struct {
		Language string `json:"language"`
		Code     string `json:"code"`
		Outcome  string `json:"outcome"`
		Output   string `json:"output"`
	}
	_ = json.Unmarshal(value, &piece) // what is of another form is told as it is
	if object, ok := render.Object(value); ok {
		value = object
	}
	switch name {
	case "executableCode":
		return "[code that was run, in " + piece.Language + "]\n" + piece.Code
	case "codeExecutionResult":
		return "[what came of it: " + piece.Outcome + "]\n" + piece.Output
	case "toolCall":
		return "[a tool that was used] " + string(value)
	default:
		return "[what the tool gave] " + string(value)
	}
}

// fromFinishReason follows replay rule 17. It gives either a reason or the kind of error that the answer amounts to.
func fromFinishReason(native genaisdk.FinishReason, calls, content bool) (llm.FinishReason, llm.Kind, string) {
	reason, empty, detail := llm.FinishStop, llm.KindBadOutput, llm.EmptyAnswer
	switch native {
	case genaisdk.FinishReasonMalformedFunctionCall, genaisdk.FinishReasonUnexpectedToolCall, genaisdk.FinishReasonTooManyToolCalls,
		"MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE":
		return "", llm.KindBadOutput, "the model made a tool call that cannot be used"
	case genaisdk.FinishReasonContinuation:
		return "", llm.KindBadOutput, "the answer stopped before it was complete"
	case genaisdk.FinishReasonMaxTokens:
		reason, detail = llm.FinishLength, "the output limit was reached before any output"
	case genaisdk.FinishReasonSafety, genaisdk.FinishReasonRecitation, genaisdk.FinishReasonBlocklist, genaisdk.FinishReasonSPII,
		genaisdk.FinishReasonProhibitedContent, genaisdk.FinishReasonImageSafety, genaisdk.FinishReasonImageProhibitedContent,
		genaisdk.FinishReasonImageRecitation, "MODEL_ARMOR":
		reason, empty, detail = llm.FinishContentFilter, llm.KindContentPolicy, "the answer was filtered out"
	default:
		if calls {
			reason = llm.FinishToolCalls
		}
	}
	if !content {
		return "", empty, detail
	}
	return reason, "", ""
}

// counts is the UsageMetadata of https://ai.google.dev/api/generate-content#UsageMetadata.
type counts struct {
	Prompt        int64        `json:"promptTokenCount"`
	Cached        int64        `json:"cachedContentTokenCount"`
	Candidates    int64        `json:"candidatesTokenCount"`
	Thoughts      int64        `json:"thoughtsTokenCount"`
	ToolUsePrompt int64        `json:"toolUsePromptTokenCount"`
	PromptBy      []byModality `json:"promptTokensDetails"`
	ToolUseBy     []byModality `json:"toolUsePromptTokensDetails"`
	CandidatesBy  []byModality `json:"candidatesTokensDetails"`
}

type byModality struct {
	Modality string `json:"modality"`
	Tokens   int64  `json:"tokenCount"`
}

func tokensOf(details []byModality, modality string) int64 {
	var sum int64
	for _, detail := range details {
		if detail.Modality == modality {
			sum += max(detail.Tokens, 0)
		}
	}
	return sum
}

// fromUsage follows replay rule 13: Gemini's prompt tokens include the cached; thoughts are counted apart from the
// candidates, and the results of its own tools apart from the prompt.
func fromUsage(raw json.RawMessage) llm.Usage {
	var c counts
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &c) != nil {
		return llm.Usage{}
	}
	return llm.Usage{
		InputTokens:       max(c.Prompt, 0) + max(c.ToolUsePrompt, 0),
		OutputTokens:      max(c.Candidates, 0) + max(c.Thoughts, 0),
		CacheReadTokens:   max(c.Cached, 0),
		ReasoningTokens:   max(c.Thoughts, 0),
		InputImageTokens:  tokensOf(c.PromptBy, "IMAGE") + tokensOf(c.ToolUseBy, "IMAGE"),
		InputAudioTokens:  tokensOf(c.PromptBy, "AUDIO") + tokensOf(c.ToolUseBy, "AUDIO"),
		OutputImageTokens: tokensOf(c.CandidatesBy, "IMAGE"),
		OutputAudioTokens: tokensOf(c.CandidatesBy, "AUDIO"),
		Raw:               raw,
	}
}
