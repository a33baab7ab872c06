package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// ProviderHealthWorkflow is the registered name of [ProviderHealth], and HealthReportSignal that of the signal that tells it
// what stands.
const (
	ProviderHealthWorkflow = "ProviderHealth"
	HealthReportSignal     = "health"
)

// HealthWorkflowID is the id of a domain's workflow.
func HealthWorkflowID(domain failover.Domain) string { return "provider-health/" + string(domain) }

// HealthReport says what stands of a domain, and by which policy it goes on.
type HealthReport struct {
	Health failover.Health        `json:"health"`
	Policy failover.BreakerPolicy `json:"policy"`
}

// ProviderHealthInput is what a domain's workflow begins with.
type ProviderHealthInput struct {
	Domain failover.Domain `json:"domain"`
	HealthReport
	// Story is what the run before has told last.
	Story []string `json:"story,omitempty"`
}

const (
	// healthSteps is how many changes a run sees before it goes on as a new one, so that no history grows without end.
	healthSteps = 200
	// betweenProbes is the pause between successes of a half-open domain.
	betweenProbes = time.Second
	// toldLines are the lines of the story that are shown.
	toldLines = 20
)

// ProviderHealth looks after one domain: it hears of each opening, waits until its time is over, tries it, one call at a time,
// and tells all processes when it is called again. There is one run a domain, so there is one probe at once.
func ProviderHealth(ctx workflow.Context, in ProviderHealthInput) error {
	h := &providerHealth{domain: in.Domain, health: in.Health, policy: in.Policy, story: in.Story, reports: workflow.GetSignalChannel(ctx, HealthReportSignal)}
	if len(h.story) == 0 {
		h.tell()
	}
	h.show(ctx)
	for range healthSteps {
		if report, heard := h.await(ctx); heard {
			h.hear(ctx, report)
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		gone, err := h.comeBack(ctx)
		if err != nil || gone {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			break
		}
	}
	h.drain(ctx)
	return workflow.NewContinueAsNewError(ctx, ProviderHealthWorkflow, ProviderHealthInput{
		Domain: h.domain, HealthReport: HealthReport{Health: h.health, Policy: h.policy}, Story: h.story,
	})
}

// providerHealth is the state of one run.
type providerHealth struct {
	domain  failover.Domain
	health  failover.Health
	policy  failover.BreakerPolicy
	reports workflow.ReceiveChannel
	story   []string
}

// await waits for a report, or until the domain's time is over.
func (h *providerHealth) await(ctx workflow.Context) (report HealthReport, heard bool) {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(h.reports, func(channel workflow.ReceiveChannel, _ bool) {
		channel.Receive(ctx, &report)
		heard = true
	})
	switch {
	case h.health.State == failover.BreakerHalfOpen: // taken up where a run before it was
		selector.AddDefault(func() {})
	case h.health.State == failover.BreakerOpen && !h.health.Until.IsZero():
		wait := max(0, h.health.Until.Sub(workflow.Now(ctx)))
		timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: "until " + string(h.domain) + " is tried again"})
		selector.AddFuture(timer, func(workflow.Future) {})
	default:
		selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {})
	}
	selector.Select(ctx)
	return report, heard
}

// hear takes in what stands, unless something later is known.
func (h *providerHealth) hear(ctx workflow.Context, report HealthReport) {
	next := report.Health
	older := next.Since.Before(h.health.Since) || next.Since.Equal(h.health.Since) && next.State == h.health.State && !next.Until.After(h.health.Until)
	if older && !next.Held {
		return
	}
	h.health, h.policy = next, report.Policy
	h.tell()
	h.show(ctx)
}

// drain hears what has come by now.
func (h *providerHealth) drain(ctx workflow.Context) {
	var report HealthReport
	for h.reports.ReceiveAsync(&report) {
		h.hear(ctx, report)
	}
}

// comeBack closes a domain whose vendor has said when, and tries any other. Gone says that nobody belongs to it any more.
func (h *providerHealth) comeBack(ctx workflow.Context) (gone bool, err error) {
	now := workflow.Now(ctx)
	if h.health.Waits() || h.health.Cause == failover.CauseOperator {
		return false, h.publish(ctx, h.health.Close(now, "time", "the time that was asked for is over"))
	}
	method := h.health.Probe()
	if err := h.publish(ctx, h.health.HalfOpen(now)); err != nil {
		return false, err
	}
	for h.health.State == failover.BreakerHalfOpen {
		result, err := remote(withProbeOptions(ctx, h.domain, method), ops.ProbeDomain, activities.ProbeInput{
			Domain: h.domain, Method: method, Embeddings: h.health.Embeddings,
		})
		if isGone(err) {
			return true, h.publish(ctx, h.health.Close(workflow.Now(ctx), "configuration", "no deployment belongs to it any more"))
		}
		seen := failover.Seen{Kind: result.Kind, RetryAfter: result.RetryAfter, Mark: result.Mark, At: workflow.Now(ctx)}
		if err != nil {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			seen.Kind = llm.KindUnknown // our own workers did not make it: nothing is known, and it is tried again later
		}
		next, _ := h.health.Tried(h.policy, seen, "probe")
		if next.State != failover.BreakerHalfOpen {
			return false, h.publish(ctx, next)
		}
		h.health = next
		if err := workflow.Sleep(ctx, betweenProbes); err != nil {
			return false, err
		}
	}
	return false, nil
}

// publish tells all processes, and goes on with what stands then.
func (h *providerHealth) publish(ctx workflow.Context, next failover.Health) error {
	standing, err := remote(withPublishOptions(ctx, next), ops.PublishHealth, activities.HealthChange{Domain: h.domain, Health: next})
	if err != nil {
		return err
	}
	h.health = standing
	h.tell()
	h.show(ctx)
	return nil
}

// tell adds a line to the story, show shows it in the Web UI.
func (h *providerHealth) tell() {
	line := fmt.Sprintf("%s **%s**", h.health.Since.UTC().Format(time.RFC3339), h.health.State)
	if !h.health.Until.IsZero() {
		line += " until " + h.health.Until.UTC().Format(time.RFC3339)
	}
	if h.health.Held {
		line += " (held)"
	}
	h.story = append(h.story, "- "+line+": "+h.health.Reason+" ("+h.health.By+")")
	h.story = h.story[max(0, len(h.story)-toldLines):]
}

func (h *providerHealth) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, strings.Join(h.story, "\n"))
}

func isGone(err error) bool {
	application, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && application.Type() == activities.ErrTypeGone
}
