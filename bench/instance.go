package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// instance is the Holdfast under test and everything around it.
type instance struct {
	dir       string // holds all of it, and is removed in the end
	providers []*child
	up        *child
	baseline  *child
	driver    *child
	database  *database

	apiURL, temporal, token string
	latencies               []time.Duration // of the providers
	providerURLs            []string        // in the same order
	streamURLs              []string        // in the order of the kinds
	baselineURL             string
	vendors                 scripted
}

// startTime bounds the start of each part.
const startTime = 2 * time.Minute

// startInstance starts the providers, one process a latency, Holdfast, the proxies and the driver.
func startInstance(ctx context.Context, opts Options, latencies []time.Duration) (_ *instance, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	i := &instance{}
	defer func() {
		if err != nil {
			i.stop()
		}
	}()
	if i.dir, err = os.MkdirTemp(opts.Dir, "holdfast-bench-"); err != nil {
		return nil, err
	}
	// PostgreSQL may run as another user, who passes through.
	if err := os.Chmod(i.dir, 0o711); err != nil { //nolint:gosec // see above
		return nil, err
	}
	for _, latency := range latencies {
		if err := i.startProvider(ctx, opts, latency); err != nil {
			return nil, err
		}
	}
	kinds := opts.streamKinds()
	if err := i.startStreams(ctx, opts, kinds); err != nil {
		return nil, err
	}
	if err := i.startScripted(ctx, opts); err != nil {
		return nil, err
	}
	routes := configuration(latencies, i.providerURLs) + streamRoutes(kinds, i.streamURLs) + i.vendors.route() + conversationRoutes(opts, i.providerURLs[0])
	if err := i.startHoldfast(ctx, opts, routes); err != nil {
		return nil, err
	}
	if i.database, err = openDatabase(ctx, filepath.Join(i.dir, "data")); err != nil {
		return nil, err
	}
	env := []string{"DATABASE_URL=" + i.database.url}
	args := slices.Concat([]string{"bench", "serve-baseline"}, i.providerURLs, i.streamURLs)
	if i.baseline, err = start(opts.Program, "the proxies", i.log("baseline"), env, args...); err != nil {
		return nil, err
	}
	if i.baselineURL, err = i.baseline.line(ctx); err != nil {
		return nil, err
	}
	i.driver, err = start(opts.Program, "the driver of bare workflows", i.log("driver"), nil, "bench", "drive-workflows", i.temporal)
	if err != nil {
		return nil, err
	}
	_, err = i.driver.line(ctx)
	return i, err
}

func (i *instance) log(name string) string { return filepath.Join(i.dir, name+".log") }

// startProvider starts a simulator whose answers take that long.
func (i *instance) startProvider(ctx context.Context, opts Options, latency time.Duration) error {
	provider, err := start(opts.Program, "the simulated provider", i.log("provider-"+latency.String()), nil, "simulate",
		"--latency", latency.String(), "--answer-bytes", fmt.Sprint(answerBytes), "--control-listen", "",
		"--openai-listen", "127.0.0.1:0", "--anthropic-listen", "", "--gemini-listen", "")
	if err != nil {
		return err
	}
	i.providers = append(i.providers, provider)
	for {
		line, err := provider.line(ctx)
		if err != nil {
			return err
		}
		if vendor := strings.Fields(line); len(vendor) == 2 && vendor[0] == "openai" {
			i.providerURLs = append(i.providerURLs, vendor[1])
			provider.discard()
			return nil
		}
	}
}

// startStreams starts the provider of each kind of stream; there may be none.
func (i *instance) startStreams(ctx context.Context, opts Options, kinds []streamKind) error {
	if len(kinds) == 0 {
		return nil
	}
	args := []string{"bench", "serve-streams"}
	for _, kind := range kinds {
		args = append(args, kind.argument())
	}
	provider, err := start(opts.Program, "the simulated provider of streams", i.log("provider-streams"), nil, args...)
	if err != nil {
		return err
	}
	i.providers = append(i.providers, provider)
	for range kinds {
		url, err := provider.line(ctx)
		if err != nil {
			return err
		}
		i.streamURLs = append(i.streamURLs, url)
	}
	return nil
}

// dead says how one of the processes under measurement has ended; nil while all live.
func (i *instance) dead() error {
	for _, part := range slices.Concat([]*child{i.up, i.baseline, i.driver}, i.providers) {
		select {
		case <-part.done:
			return part.death()
		default:
		}
	}
	return nil
}

// routeName is the route to the provider of that latency.
func routeName(latency time.Duration) string { return "bench-" + latency.String() }

// configuration has a route for each provider, each with two fallbacks that never have anything to do: a plan is as long as
// it is in earnest.
func configuration(latencies []time.Duration, providerURLs []string) string {
	var text strings.Builder
	text.WriteString("model_list:\n")
	for i, latency := range latencies {
		text.WriteString(route(routeName(latency), providerURLs[i]))
	}
	return text.String()
}

// streamRoutes are the routes to the providers of streams, to be put behind a configuration.
func streamRoutes(kinds []streamKind, urls []string) string {
	var text strings.Builder
	for i, kind := range kinds {
		text.WriteString(route(kind.route(), urls[i]))
	}
	return text.String()
}

func route(name, providerURL string) string {
	var text strings.Builder
	for order, model := range []string{"gpt-4.1", "gpt-4.1-mini", "gpt-4o"} {
		fmt.Fprintf(&text, "  - model_name: %s\n    litellm_params: {model: openai/%s, api_base: %q, order: %d}\n", name, model, providerURL, order+1)
	}
	return text.String()
}

// startHoldfast starts what is under test and waits until it serves.
func (i *instance) startHoldfast(ctx context.Context, opts Options, routes string) error {
	config, data := filepath.Join(i.dir, "config.yaml"), filepath.Join(i.dir, "data")
	if err := os.WriteFile(config, []byte(routes), 0o600); err != nil {
		return err
	}
	temporal, err := freePort(ctx)
	if err != nil {
		return err
	}
	program := opts.Program
	if opts.Subject != "" {
		program = opts.Subject
	}
	// The instance is to be the machine's own: not a server that the environment happens to name.
	env := []string{"DATABASE_URL=", "DATABASE_URL_FILE=", "TEMPORAL_ADDRESS=", "TEMPORAL_PROFILE=", "TEMPORAL_CONFIG_FILE="}
	i.up, err = start(program, "holdfast up", i.log("up"), env, "up", "--data", data, "--config", config, "--log-level", "warn", "--grace", "5s",
		"--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--ui-listen", "", "--temporal-listen", temporal)
	if err != nil {
		return err
	}
	for {
		line, err := i.up.line(ctx)
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "Holdfast is ready") {
			break
		}
	}
	i.up.discard()
	content, err := os.ReadFile(filepath.Join(data, "instance.json")) //nolint:gosec // our own directory
	if err != nil {
		return err
	}
	var at struct {
		API      string `json:"api"`
		Temporal string `json:"temporal"`
	}
	if err := json.Unmarshal(content, &at); err != nil {
		return err
	}
	token, err := os.ReadFile(filepath.Join(data, "token")) //nolint:gosec // our own directory
	i.apiURL, i.temporal, i.token = at.API, at.Temporal, strings.TrimSpace(string(token))
	return err
}

// freePort is an address that nobody listens on at the moment.
func freePort(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// stop ends everything in the reverse order of its start, and removes it.
func (i *instance) stop() {
	i.driver.stop()
	i.baseline.stop()
	i.stopHoldfast()
	for _, provider := range i.providers {
		provider.stop()
	}
	if i.dir != "" {
		_ = os.RemoveAll(i.dir)
	}
}

func (i *instance) stopHoldfast() {
	if i.database != nil {
		_ = i.database.connection.Close(context.Background())
	}
	i.up.stop()
}
