// Package config reads the one YAML file that Holdfast is configured by: a superset of LiteLLM's config.yaml, so that a team
// moves by pointing Holdfast at the file it has. Our own settings live under the top-level key `holdfast`.
//
//	model_list:
//	  - model_name: chat            # a route: what clients ask for
//	    litellm_params:
//	      model: openai/gpt-4.1     # provider/model, or enough to infer the provider
//	      weight: 5
//	holdfast:
//	  attempt_timeout: 90s
//
// The file is checked as a whole: every problem is reported at once, with its line, as an [Error]. A key that is not known is
// an error that names the nearest known one. A key of LiteLLM's that Holdfast does not act on is kept as a warning in
// [Config.Warnings], so that nobody believes a setting is in force that is not; so is one that another setting overrules.
//
// What the file does not say of a deployment's price, window and abilities is filled in from package catalog.
//
// Secrets are refused, whether literal or `os.environ/…`: provider keys belong in the vault and API tokens in the database.
// No message of this package repeats a value that could be one.
package config
