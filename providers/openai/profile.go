package openai

import (
	"context"
	"net/url"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// Profile says how a host differs from what Chat Completions are at OpenAI, as data. The zero value of each field is
// OpenAI's own way, so that a row for a host tells its quirks and nothing else.
type Profile struct {
	// Name is what errors, warnings and origins call the provider, and whose [llm.Request.Extras] are its own.
	Name string
	// BaseURL is the host's own endpoint including its version; empty if it has none, as self-hosted servers.
	BaseURL string
	// Path is put behind a base URL that has none: "/v1" if empty.
	Path string
	// Account is the [llm.Origin.Account] of what comes from here. Empty stands for the base URL's host name, or for nothing
	// at the host's own endpoint.
	Account string

	// AuthHeader and AuthPrefix say how the key travels: "Authorization" and "Bearer " if both are empty.
	AuthHeader, AuthPrefix string
	// Auth, if set, makes what a call is authorized by from its key, in place of AuthHeader and AuthPrefix. Its error is an
	// *[llm.Error], or is taken for one of kind credential.
	Auth func(ctx context.Context, key llm.Secret) (wire.Auth, error)
	// Probe is the operation that costs nothing and asks for the key: "models" if empty.
	Probe string
	// Endpoint, if set, says where an operation ("chat/completions", "responses", "embeddings", "models") of a model is: a path that is
	// put behind the base URL, not beginning with a slash and already escaped, and a query. Nil stands for the operation itself
	// without a query.
	Endpoint func(operation, model string) (path string, query url.Values)
	// Classify, if set, is handed every error made of an answer, whether by its status or in band, after the package's own
	// classification, and may change it. The body of an error in band is the event that it came in.
	Classify func(answer wire.Answer, failure *llm.Error)
	// Errors are the host's own error codes and types, besides OpenAI's, which they come before.
	Errors map[string]llm.Kind
	// Statuses are what the host means by a status that is not in HTTP, or means otherwise, where no code tells more.
	Statuses map[int]llm.Kind
	// Messages are fragments of the messages by which errors must be told that the host has no code for, and whose status is a
	// client's fault: the last resort.
	Messages []Said

	// Responses says which models are called by the Responses API rather than by Chat Completions.
	Responses ResponsesUse
	// Lacks are the abilities that the host has not. Its models' are in Models.
	Lacks []Ability
	// Drops are parameters, by their names here (see [Parameters]), that the host refuses or ignores: each is left out with a
	// warning, unless it asks for nothing but the default.
	Drops []string
	// Renames are the host's names for parameters, by their names here.
	Renames map[string]string
	// MaxTokens is the name of the limit on output. Empty stands for "max_completion_tokens" for OpenAI's reasoning models, and
	// for "max_tokens", which every host knows, for all others.
	MaxTokens string
	// MaxTemperature is the highest temperature taken; 0 stands for 2.
	MaxTemperature float64
	// MaxStops is how many stop sequences are taken; 0 stands for 4, a negative number for any.
	MaxStops int
	// MaxTopLogprobs is how many alternatives log probabilities are given for; 0 stands for 20.
	MaxTopLogprobs int64
	// ShortIDs asks for tool-call ids of exactly nine letters and digits.
	ShortIDs bool
	// System says where system text may stand.
	System SystemUse
	// Reasoning says how thinking is asked for, and what becomes of thoughts.
	Reasoning ReasoningUse
	// ServiceTiers are the tiers that may be asked for; nil stands for any.
	ServiceTiers []string
	// AnySchema says that strict schemas need not follow OpenAI's rules (all properties required, no additional ones), as with
	// hosts that decode by a grammar.
	AnySchema bool
	// DocumentAddress is the member of a file part in which a document's address on the web may be sent; empty if it may not.
	DocumentAddress string
	// CacheModels are patterns (see [ModelRule]) of the models for which cache hints are passed on as Anthropic's
	// cache_control. Nil stands for none: OpenAI caches by itself.
	CacheModels []string
	// Usage is where an answer's or a chunk's counts are if not in "usage": the names of the members on the way.
	Usage []string
	// BaseModel, if set, is the model whose rules hold whatever a model is called, where names are the customer's own, as of
	// Azure's deployments.
	BaseModel string
	// Models are what is particular to some models. All rules that match apply, later ones over earlier ones.
	Models []ModelRule
}

// ModelRule is what is particular to the models that a pattern matches.
type ModelRule struct {
	// Pattern is matched with the whole model name, and with what follows its last slash: * stands for any text.
	Pattern string
	// Lacks and Drops come on top of the host's.
	Lacks []Ability
	Drops []string
	// Efforts replace those of [ReasoningUse], if set.
	Efforts []llm.Effort
	// Style replaces that of [ReasoningUse], if set.
	Style ReasoningStyle
	// EffortNames are the host's words for efforts, where they differ.
	EffortNames map[llm.Effort]string
	// Set are members of every request, such as what it takes to be shown thoughts apart.
	Set map[string]any
}

// Said is what a fragment of an error's message means.
type Said struct {
	Text string
	Kind llm.Kind
}

// Ability is something that Chat Completions can do at OpenAI, and elsewhere perhaps not.
type Ability string

// The abilities. Without one of the first group, a request that needs it is refused as unsupported; without one of the second,
// something else stands in or the wish is left out, with a warning.
const (
	Images       Ability = "images"         // in user messages
	Documents    Ability = "documents"      // PDF files as file parts
	Audio        Ability = "audio"          // input_audio parts
	Embeddings   Ability = "embeddings"     // /embeddings
	Choices      Ability = "n"              // more than one answer
	Tools        Ability = "tools"          // function calling
	ImageAddress Ability = "image_url"      // images by an address on the web
	JSONSchema   Ability = "json_schema"    // response_format json_schema: the schema is told in words
	JSONObject   Ability = "json_object"    // response_format json_object: asked for in words
	StrictTools  Ability = "strict"         // tools[].function.strict
	ForcedTools  Ability = "tool_choice"    // tool_choice required or a name
	StreamUsage  Ability = "stream_options" // stream_options.include_usage
	Base64       Ability = "base64"         // encoding_format base64 in embeddings
)

// ResponsesUse says which models are called by the Responses API.
type ResponsesUse string

// The uses of the Responses API.
const (
	// ResponsesByModel: OpenAI's reasoning models at OpenAI's own endpoint, and what asks for it.
	ResponsesByModel ResponsesUse = ""
	// ResponsesAsked: what asks for it, by a model name with the prefix "responses/" or by [Config.API].
	ResponsesAsked ResponsesUse = "asked"
	// ResponsesNever: the host has none; asking for it is refused.
	ResponsesNever ResponsesUse = "never"
)

// SystemUse says where system text may stand.
type SystemUse string

// The places of system text.
const (
	SystemAnywhere SystemUse = ""      // messages of role system, anywhere
	SystemFirst    SystemUse = "first" // one message of role system, at the beginning; later ones become notes in the user's turn
)

// ReasoningUse says how thinking is asked for, and what becomes of thoughts.
type ReasoningUse struct {
	// Style is the parameter; empty stands for reasoning_effort for OpenAI's reasoning models, and for none for others.
	Style ReasoningStyle
	// Efforts are those that the host takes, from the least to the most: the nearest is sent. Nil stands for all.
	Efforts []llm.Effort
	// Drops are parameters that are left out, as those of [Profile.Drops], while a model thinks; and models think unless they
	// are told not to, save those that a pattern of Silent matches, which think only if they are told to.
	Drops, Silent []string
	// Replay says which thoughts go back to the host.
	Replay Replay
	// Pad, if set, is the member of an assistant's message that is sent empty where thoughts are to go back but there are none,
	// because the host demands it. Answers are read in every known form whatever it is, and go back in the form in which they
	// came.
	Pad string
}

// ReasoningStyle is the parameter by which thinking is asked for.
type ReasoningStyle string

// The styles.
const (
	ReasoningByModel  ReasoningStyle = ""
	ReasoningNone     ReasoningStyle = "none"             // nothing can be asked for
	ReasoningEffort   ReasoningStyle = "reasoning_effort" // "low"
	ReasoningObject   ReasoningStyle = "reasoning"        // {"effort":"low"} or {"max_tokens":1024}
	ReasoningToggle   ReasoningStyle = "toggle"           // {"enabled":true} in reasoning
	ReasoningThinking ReasoningStyle = "thinking"         // {"type":"enabled"} beside reasoning_effort
	ReasoningTemplate ReasoningStyle = "chat_template"    // {"enable_thinking":true} in chat_template_kwargs beside reasoning_effort
)

// Replay says which of a model's own thoughts go back to it.
type Replay string

// The ways of replay.
const (
	ReplayNever     Replay = ""           // none: the host ignores or refuses them
	ReplayToolTurns Replay = "tool_turns" // those of turns (between two user messages) in which tools were called
	ReplayAlways    Replay = "always"     // all
)

// OpenAI is the profile of OpenAI itself, and of hosts of which nothing else is known.
func OpenAI() Profile {
	return Profile{
		Name: "openai", BaseURL: DefaultBaseURL, Drops: []string{"top_k"}, Models: openaiModels(),
	}
}

// Parameters lists the names by which [Profile.Drops] and [Profile.Renames] know parameters: those of Chat Completions, and
// top_k.
func Parameters() []string {
	return []string{
		"temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "presence_penalty", "frequency_penalty", "n", "logprobs",
		"logit_bias", "parallel_tool_calls", "user", "verbosity", "service_tier", "prompt_cache_key", "dimensions",
	}
}
