package config

import (
	_ "embed" // for demo.yaml
	"fmt"
)

//go:embed demo.yaml
var demoYAML []byte

// Demo is the built-in configuration for trying Holdfast without a file or keys: its endpoints are placeholders, and bases
// gives the real URL for each provider: openai, anthropic and gemini.
func Demo(bases map[string]string) (*Config, error) {
	config, err := Parse("demo.yaml", demoYAML)
	if err != nil {
		return nil, fmt.Errorf("demo configuration: %w", err)
	}
	for i := range config.Routes {
		for j := range config.Routes[i].Deployments {
			deployment := &config.Routes[i].Deployments[j]
			base, err := endpoint(bases[deployment.Provider])
			if err != nil {
				return nil, fmt.Errorf("demo configuration: endpoint of %s %w", deployment.Provider, err)
			}
			deployment.APIBase = base
		}
	}
	return config, nil
}
