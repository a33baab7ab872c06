package config

import "time"

// Deployment is one model at one provider's endpoint.
type Deployment struct {
	// ID is model_info.id, or "route/provider/model/n" where n counts equal ones from 1. It is unique in the file and stays
	// the same when other deployments come and go.
	ID string
	// Provider is the vendor's name as the provider registry and the vault know it.
	Provider string
	// Model is the vendor's own name of the model, without a provider's prefix.
	Model string
	// BaseModel is the model behind a deployment whose name does not tell (model_info.base_model); empty if Model tells.
	BaseModel string
	// APIBase is the endpoint's URL without a trailing slash; empty means the vendor's public one.
	APIBase string
	// APIVersion is Azure's api-version.
	APIVersion string
	// Region is where Bedrock (aws_region_name) or Vertex AI (vertex_location) is called.
	Region string
	// Project is Vertex AI's (vertex_project).
	Project string
	// ContextWindow is how many tokens an Ollama model is loaded for (num_ctx); 0 leaves it to the adapter.
	ContextWindow int64
	// Weight is this deployment's share among those of the same Order; 0 takes no share, and some deployment has more.
	Weight float64
	// Order ranks deployments: lower ones are tried first. Where some deployments of a route have an order, those without
	// come after them; where none has, all are 0.
	Order int
	// Timeout bounds one call; 0 means [Config.AttemptTimeout].
	Timeout time.Duration
	// Silence bounds each wait for a piece of a streamed answer, the first and any other (stream_timeout); 0 means [Config.Silence].
	Silence time.Duration
	// MaxRetries overrides [Config.Retries] for this deployment; nil means that it does not.
	MaxRetries *int
	// RPM and TPM are how many requests and tokens a minute it takes (rpm, tpm); 0 means no such limit.
	RPM, TPM int64
	// MaxParallel is how many calls it takes at once (max_parallel_requests); 0 means any number.
	MaxParallel int
	// Cooldown overrides [Breaker.Cooldown] for this deployment (cooldown_time); 0 means that it never rests, nil that it is not said.
	Cooldown *time.Duration
	// Tags are what requests may choose it by.
	Tags []string
	// InputPrice and OutputPrice are in millionths of a US dollar for a million tokens: what the file says, else what the catalog
	// knows. Nil is unknown, which is never free.
	InputPrice, OutputPrice *int64
	// MaxInputTokens and MaxOutputTokens are how much it takes and gives: what the file says, else what the catalog knows; 0 is unknown.
	// The catalog's bound for answers is a safe one, not always the vendor's.
	MaxInputTokens, MaxOutputTokens int64
	// Supports says what it can and cannot do, by the words behind model_info.supports_: vision, function_calling, reasoning and so
	// on. A word that is missing is unknown.
	Supports map[string]bool
	// Mode is what it is for: chat, embedding and so on (model_info.mode).
	Mode string
	// ZeroDataRetention says whether its host keeps nothing of what it is sent (model_info.zero_data_retention); nil is unknown.
	ZeroDataRetention *bool
	// DataCollection says whether its host may use what it is sent: "allow", "deny", or "" for unknown (model_info.data_collection).
	DataCollection string
	// OnlyFor names the requests that it is for (model_info.only_for).
	OnlyFor OnlyFor
	// Line is where the file declares the deployment.
	Line int
}

// OnlyFor names the requests that a deployment is for: those that fit everything it says. Its zero value is for all.
type OnlyFor struct {
	// Tenants and Tokens are ids, of which a request's must be one; nil means any.
	Tenants, Tokens []string
	// Metadata is what a request's own must hold.
	Metadata map[string]string
	// MinInputTokens and MaxInputTokens bound the size of the prompt; 0 means no bound.
	MinInputTokens, MaxInputTokens int64
}
