package providers

import (
	"context"
	"errors"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/llm"
)

// fanOut gives several answers where a vendor gives one: by as many calls, side by side. Whether a vendor gives several is
// known to its adapter alone, which refuses them before anything is sent.
type fanOut struct {
	llm.Provider
}

// fanOutEmbedder is a fanOut whose vendor makes embeddings.
type fanOutEmbedder struct {
	fanOut
	llm.Embedder
}

// fannedOut wraps an adapter.
func fannedOut(provider llm.Provider) llm.Provider {
	if embedder, ok := provider.(llm.Embedder); ok {
		return &fanOutEmbedder{fanOut{provider}, embedder}
	}
	return &fanOut{provider}
}

// Prefills implements [llm.Prefiller].
func (f fanOut) Prefills(req llm.Request) bool {
	prefiller, ok := f.Provider.(llm.Prefiller)
	return ok && prefiller.Prefills(req)
}

// Probe implements [llm.Prober]. Of an adapter that is none nothing can be asked at no cost.
func (f fanOut) Probe(ctx context.Context, key llm.Secret, model string) error {
	if prober, ok := f.Provider.(llm.Prober); ok {
		return prober.Probe(ctx, key, model)
	}
	return &llm.Error{Kind: llm.KindUnsupported, Detail: "there is no call that costs nothing"}
}

// CountTokens implements [llm.Counter]. An adapter that is none counts nothing.
func (f fanOut) CountTokens(ctx context.Context, key llm.Secret, req llm.Request) (int64, error) {
	if counter, ok := f.Provider.(llm.Counter); ok {
		return counter.CountTokens(ctx, key, req)
	}
	return 0, &llm.Error{Kind: llm.KindUnsupported, Detail: "this vendor is not asked for a count"}
}

// refusesSeveral reports whether err says that there is one answer a call.
func refusesSeveral(err error) bool {
	e, ok := errors.AsType[*llm.Error](err)
	return ok && e.Kind == llm.KindUnsupported && e.Param == "n"
}

// single is the i-th of the requests for one answer each. Equal seeds would give equal answers.
func single(req llm.Request, i int64) llm.Request {
	req.N = nil
	if req.Seed != nil {
		seed := *req.Seed + i
		req.Seed = &seed
	}
	return req
}

// Complete implements [llm.Provider]. If one call fails, so does the whole.
func (f fanOut) Complete(ctx context.Context, key llm.Secret, req llm.Request) (llm.Response, error) {
	response, err := f.Provider.Complete(ctx, key, req)
	if req.N == nil || !refusesSeveral(err) {
		response.Rendering = RenderingVersion
		return response, err
	}
	answers := make([]llm.Response, *req.N)
	var limit latestLimit
	group, ctx := errgroup.WithContext(ctx)
	for i := range answers {
		group.Go(func() (err error) {
			answers[i], err = f.Provider.Complete(ctx, key, single(req, int64(i)))
			limit.set(answers[i].RateLimit)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return llm.Response{}, err
	}
	whole := answers[0]
	whole.Rendering, whole.RateLimit = RenderingVersion, limit.told
	for _, answer := range answers[1:] {
		whole.Alternatives = append(whole.Alternatives, llm.Choice{
			Message: answer.Message, FinishReason: answer.FinishReason, NativeFinishReason: answer.NativeFinishReason, Logprobs: answer.Logprobs,
		})
		whole.Usage = sum(whole.Usage, answer.Usage)
	}
	return whole, nil
}

// latestLimit is what the vendor said last of the account's limits: of answers that come side by side, the last one has seen
// them all.
type latestLimit struct {
	mu   sync.Mutex
	told *llm.RateLimit
}

func (l *latestLimit) set(told *llm.RateLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if told != nil {
		l.told = told
	}
}

// Stream implements [llm.Provider]. The events of the answers come as they come.
func (f fanOut) Stream(ctx context.Context, key llm.Secret, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		several := false
		for event, err := range f.Provider.Stream(ctx, key, req) {
			if req.N != nil && refusesSeveral(err) {
				several = true
				break
			}
			if !yield(rendered(event), err) {
				return
			}
		}
		if several {
			f.merge(ctx, key, req, yield)
		}
	}
}

// rendered puts the version of the rendering on the event that begins an answer.
func rendered(event llm.Event) llm.Event {
	if event.Type == llm.EventStart {
		event.Rendering = RenderingVersion
	}
	return event
}

// merge yields the events of *req.N streams, each as its own choice.
func (f fanOut) merge(ctx context.Context, key llm.Secret, req llm.Request, yield func(llm.Event, error) bool) {
	group, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithCancel(ctx)
	events := make(chan llm.Event)
	usages := make([]llm.Usage, *req.N)
	for i := range usages {
		group.Go(func() error {
			for event, err := range f.Provider.Stream(ctx, key, single(req, int64(i))) {
				if err != nil {
					return err
				}
				if event.Type == llm.EventUsage && event.Usage != nil {
					usages[i] = *event.Usage
					continue
				}
				event.Choice = i
				select {
				case events <- event:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	failed := make(chan error, 1)
	go func() {
		failed <- group.Wait()
		close(events)
	}()
	defer func() { // whoever leaves the loop leaves no call behind
		cancel()
		for range events { // drained, so that the senders end
		}
	}()
	started := false
	for event := range events {
		if event.Type == llm.EventStart {
			if started {
				continue
			}
			started = true
		}
		if !yield(rendered(event), nil) {
			return
		}
	}
	if err := <-failed; err != nil {
		yield(llm.Event{}, err)
		return
	}
	total := usages[0]
	for _, usage := range usages[1:] {
		total = sum(total, usage)
	}
	yield(llm.Event{Type: llm.EventUsage, Usage: &total}, nil)
}

// sum adds what two calls used. The vendor's own counts are those of one call, and so are left out.
func sum(a, b llm.Usage) llm.Usage {
	return llm.Usage{
		InputTokens: a.InputTokens + b.InputTokens, OutputTokens: a.OutputTokens + b.OutputTokens,
		CacheReadTokens: a.CacheReadTokens + b.CacheReadTokens, CacheWriteTokens: a.CacheWriteTokens + b.CacheWriteTokens,
		CacheWrite1hTokens: a.CacheWrite1hTokens + b.CacheWrite1hTokens, ReasoningTokens: a.ReasoningTokens + b.ReasoningTokens,
		InputImageTokens: a.InputImageTokens + b.InputImageTokens, InputAudioTokens: a.InputAudioTokens + b.InputAudioTokens,
		OutputAudioTokens: a.OutputAudioTokens + b.OutputAudioTokens, OutputImageTokens: a.OutputImageTokens + b.OutputImageTokens,
	}
}
