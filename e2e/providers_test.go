package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// providers are the simulated vendors of a test: they live in this process, and so through every kill.
type providers struct {
	*simulator.Simulator
	running *simulator.Running
}

// simulate serves all vendors on ports of their own until the test ends.
func simulate(t testing.TB) providers {
	t.Helper()
	p, err := serveProviders()
	require.NoError(t, err)
	t.Cleanup(p.close)
	return p
}

const nextTool = "next tool: "

// serveProviders serves vendors that echo the last user text, or say what it asks for behind "answer with". What a tool has answered
// may name the tool to be called then, as "next tool: NAME;".
func serveProviders() (providers, error) {
	addrs := map[simulator.Vendor]string{}
	for _, vendor := range simulator.Vendors() {
		addrs[vendor] = "127.0.0.1:0"
	}
	var sim *simulator.Simulator
	sim = simulator.New(simulator.Options{RecordBodies: true, AdminKeys: []string{adminKey}, Answer: func(call simulator.Call) simulator.Answer {
		if _, wanted, ok := strings.Cut(call.Text, "answer with "); ok {
			return simulator.Answer{Text: wanted}
		}
		if at := strings.LastIndex(string(call.Body), nextTool); at >= 0 {
			if name, _, _ := strings.Cut(string(call.Body[at+len(nextTool):]), ";"); slices.Contains(call.Tools, name) {
				return simulator.Answer{ToolCalls: []simulator.ToolCall{{Name: name, Arguments: `{"city":"Paris"}`}}}
			}
		}
		if strings.HasPrefix(call.Text, "Your answer was cut off") && !call.Continues { // it was complete
			return simulator.Answer{}
		}
		return sim.DefaultAnswer(call)
	}})
	running, err := simulator.Serve(context.Background(), simulator.Config{Simulator: sim, Addrs: addrs})
	return providers{Simulator: sim, running: running}, err
}

func (p providers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	_ = p.running.Close(ctx) // what still hangs belongs to a killed process
}

// takes makes the vendor answer after this long.
func (p providers) takes(vendor simulator.Vendor, latency time.Duration) {
	p.SetBehaviour(vendor, simulator.Behaviour{Latency: latency})
}

// prompts counts the calls for a completion that have reached any vendor, by their last user text.
func (p providers) prompts() map[string]int {
	calls := map[string]int{}
	for _, vendor := range simulator.DemoVendors() {
		for _, call := range p.Completions(vendor) {
			calls[call.Text]++
		}
	}
	return calls
}

// lastBody is the body of the last request for a model.
func (p providers) lastBody(t testing.TB, vendor simulator.Vendor, model string) string {
	t.Helper()
	var body string
	for _, call := range p.Completions(vendor) {
		if call.Model == model {
			body = string(call.Body)
		}
	}
	require.NotEmpty(t, body, "%s was not asked for %s", vendor, model)
	return body
}

// lastDone says whether the last call for a model has ended.
func (p providers) lastDone(vendor simulator.Vendor, model string) bool {
	done := false
	for _, call := range p.Completions(vendor) {
		if call.Model == model {
			done = call.Done
		}
	}
	return done
}

// asked says whether any vendor was asked this.
func (p providers) asked(prompt string) bool { return p.prompts()[prompt] > 0 }

// ofModel counts the calls for a completion of one model.
func (p providers) ofModel(vendor simulator.Vendor, model string) int {
	n := 0
	for _, call := range p.Completions(vendor) {
		if call.Model == model {
			n++
		}
	}
	return n
}

// settings are more members of two sections of a configuration, in YAML's flow style: "retry_after: 1, num_retries: 0".
type settings struct{ router, holdfast string }

// config writes a configuration. A route is written as its name and then its targets, "vendor/model", tried in that order; each
// may have more parameters behind a blank, and model_info behind a semicolon. Probes are off: they are calls too, and tests
// count calls.
func (p providers) config(t testing.TB, routes ...[]string) string {
	t.Helper()
	return p.configWith(t, settings{}, routes...)
}

// configWith writes a configuration that says more.
func (p providers) configWith(t testing.TB, more settings, routes ...[]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(p.configText(more, routes...)), 0o600))
	return path
}

func (p providers) configText(more settings, routes ...[]string) string {
	var text strings.Builder
	text.WriteString("model_list:\n")
	for _, route := range routes {
		for i, target := range route[1:] {
			target, info, _ := strings.Cut(target, ";")
			target, params, more := strings.Cut(target, " ")
			if more {
				params = ", " + params
			}
			vendor, _, _ := strings.Cut(target, "/")
			fmt.Fprintf(&text, "  - model_name: %s\n    litellm_params: {model: %s, api_base: %q, order: %d%s}\n    model_info: {%s}\n",
				route[0], target, p.running.BaseURL(simulator.Vendor(vendor)), i+1, params, info)
		}
	}
	join := func(said, more string) string { return strings.TrimSuffix(said+", "+more, ", ") }
	fmt.Fprintf(&text, "router_settings: {%s}\n", join("timeout: 120, stream_timeout: 3", more.router))
	fmt.Fprintf(&text, "holdfast: {%s}\n", join("probes: {off: true}", more.holdfast))
	return text.String()
}
