package routing

import (
	"context"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// checkTime bounds one call that tries a key.
const checkTime = 20 * time.Second

// Check tries a key of a provider, in use or not, at each of its places, until one takes it: by a call that costs nothing, or, where
// the vendor has none, by the shortest answer that there is. A place that is too busy to say has let the key in. Errors are
// *[llm.Error].
func (t *Table) Check(ctx context.Context, provider string, key llm.Secret) error {
	failure := error(&llm.Error{Kind: llm.KindModelGone, Provider: provider, Detail: "no deployment of this provider is configured, so its keys cannot be tried"})
	tried := map[string]bool{}
	for _, id := range t.ids() {
		d := t.deployments[id]
		if d.Provider != provider || tried[d.place] {
			continue
		}
		tried[d.place] = true
		err := d.check(ctx, key)
		if err == nil {
			return nil
		}
		failure = err
		if ctx.Err() != nil {
			break
		}
	}
	return failure
}

// check tries a key at a deployment's place.
func (d deployment) check(ctx context.Context, key llm.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	err := error(&llm.Error{Kind: llm.KindUnsupported, Provider: d.Provider})
	if prober, ok := d.provider.(llm.Prober); ok {
		err = prober.Probe(ctx, key, d.Model)
	}
	switch llm.KindOf(err) {
	case llm.KindUnsupported, llm.KindModelAccess, llm.KindCallerFault: // a key may be good for completions and nothing else
		err = d.generate(ctx, key)
	default:
	}
	switch llm.KindOf(err) {
	case llm.KindModelAccess, llm.KindCallerFault, llm.KindUnsupported, llm.KindRateLimit, llm.KindOverloaded, llm.KindQuota, llm.KindBadOutput, llm.KindModelGone, llm.KindContextLength, llm.KindContentPolicy, llm.KindRefusal:
		return nil // whoever says that has let the key in
	default:
		return err
	}
}

// generate asks for as little as models give: fewer tokens than this some do not accept.
func (d deployment) generate(ctx context.Context, key llm.Secret) error {
	if embedder, ok := d.provider.(llm.Embedder); ok && d.Mode == "embedding" {
		_, err := embedder.Embed(ctx, key, llm.Request{Model: d.Model, Embed: &llm.Embed{Texts: []string{"ping"}}})
		return err
	}
	few := int64(16)
	_, err := d.provider.Complete(ctx, key, llm.Request{
		Model: d.Model, MaxOutputTokens: &few, Messages: []llm.Message{{Role: llm.RoleUser, Parts: []llm.Part{llm.Text("ping")}}},
	})
	return err
}
