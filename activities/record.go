package activities

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/replay"
)

// RecordInput says how the completion ended.
type RecordInput struct {
	ID             string    `json:"id"`
	Tenant         string    `json:"tenant"`
	Route          string    `json:"route"`
	ConversationID string    `json:"conversation,omitempty"`
	Epoch          int       `json:"epoch"`
	AcceptedAt     time.Time `json:"accepted_at"`
	// Answered is the attempt that answered; zero if none did.
	Answered int    `json:"answered,omitempty"`
	Provider string `json:"provider,omitempty"`
	Model    string `json:"model,omitempty"`
	// Failure is the final error of a completion without an answer; nil with Answered zero means that no target was
	// eligible, and Plan says why.
	Failure *llm.Error    `json:"failure,omitempty"`
	Plan    failover.Plan `json:"plan,omitzero"`
	// RetryAfter is when the first target may be back, if all of them rest.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Recovery is what became of the stream if it broke; empty if the answer is not streamed.
	Recovery failover.Recovery `json:"recovery,omitempty"`
	// ServedFrom says where the answer comes from if not from a call of a provider as wanted; with Answered zero it is one that
	// was kept.
	ServedFrom completions.ServedFrom `json:"served_from,omitempty"`
	// Replay says what of its conversation the completion was given; nil if it has none.
	Replay *replay.Record `json:"replay,omitempty"`
	// Hedged says that more attempts were made than the one that answered, and those before it.
	Hedged bool `json:"hedged,omitempty"`
}

// RecordResult is the outcome as it stands in the record, which another run may have written.
type RecordResult struct {
	State     completions.State `json:"state"`
	Provider  string            `json:"provider,omitempty"`
	Model     string            `json:"model,omitempty"`
	Attempts  int               `json:"attempts"`
	Failovers int               `json:"failovers"`
	ErrorKind llm.Kind          `json:"error_kind,omitempty"`
	// ServedFrom says where the answer comes from if not from a call of a provider as wanted.
	ServedFrom completions.ServedFrom `json:"served_from,omitempty"`
}

// Record writes the outcome once: the first to record at the current epoch wins, whoever comes later reads what stands.
// The waiting client is handed the outcome before Record returns.
func (a *Activities) Record(ctx context.Context, in RecordInput) (RecordResult, error) {
	fence, _ := a.fence(in.ID, in.Epoch)
	var outcome completions.Outcome
	var recorded bool
	var err error
	switch {
	case in.Answered != 0:
		outcome, recorded, err = a.recordAnswer(ctx, fence, in)
	case in.ServedFrom != "":
		outcome, recorded, err = a.recordKept(ctx, fence, in)
	default:
		outcome, recorded, err = a.recordFailure(ctx, fence, in)
	}
	if errors.Is(err, completions.ErrAnswerLost) { // a recorded answer is kept no more: the outcome may stand already
		standing, readErr := a.cfg.Store.Outcome(ctx, in.Tenant, in.ID)
		if readErr == nil && standing.Completion.State != completions.StateOpen {
			outcome, recorded, err = standing, true, nil
		}
	}
	if err == nil && !recorded {
		outcome, err = a.cfg.Store.Outcome(ctx, in.Tenant, in.ID)
	}
	if err != nil {
		err = a.refused(in.ID, err)
		if isSuperseded(err) {
			a.stash.drop(in.ID, in.Answered)
		}
		return RecordResult{}, err
	}
	a.stash.drop(in.ID, in.Answered)
	a.cfg.Handover.Deliver(in.ID, outcome)
	result := RecordResult{
		State: outcome.Completion.State, Provider: outcome.Completion.Provider, Model: outcome.Completion.Model,
		Attempts: outcome.Completion.Attempts, Failovers: outcome.Completion.Failovers, ServedFrom: outcome.Completion.ServedFrom,
	}
	if outcome.Completion.Error != nil {
		result.ErrorKind = outcome.Completion.Error.Kind
	}
	return result, nil
}

func (a *Activities) recordAnswer(ctx context.Context, fence completions.Fence, in RecordInput) (completions.Outcome, bool, error) {
	success := completions.Success{
		Number: in.Answered, Provider: in.Provider, Model: in.Model, ConversationID: in.ConversationID, Streamed: in.Recovery != "",
		ServedFrom: in.ServedFrom, At: a.cfg.Now(),
	}
	made := in.Answered
	held, inMemory := a.stash.look(in.ID, in.Answered)
	if inMemory {
		success.Answer, success.Usage, success.AnsweredAt, success.ProviderTime = held.answer, held.usage, held.at, held.duration
	} else {
		answer, err := a.cfg.Store.KeptAnswer(ctx, in.ID, in.Answered)
		if err != nil {
			return completions.Outcome{}, false, err
		}
		success.Answer, success.Usage = answer, answer.Usage // that of the attempt stands in its row already
	}
	if in.Answered > 1 || in.Hedged || !inMemory {
		attempts, err := a.cfg.Store.Attempts(ctx, in.ID)
		if err != nil {
			return completions.Outcome{}, false, err
		}
		success.Failovers = completions.Failovers(attempts[:min(in.Answered, len(attempts))])
		made = max(made, len(attempts))
		for _, attempt := range attempts {
			success.ProviderTime += attempt.Latency()
			if attempt.Number == in.Answered && attempt.FinishedAt != nil {
				success.AnsweredAt = *attempt.FinishedAt
			}
		}
	}
	if policy := a.cfg.Router.Policy(in.Route); in.ConversationID != "" || policy.Cache != nil {
		request, ok := a.cfg.Handover.Request(in.ID)
		if !ok {
			var err error
			if request, err = a.cfg.Store.Request(ctx, in.ID); err != nil {
				return completions.Outcome{}, false, err
			}
		}
		if in.ConversationID != "" {
			success.Turn = request.Messages
		}
		success.Keep = a.keep(in, request, success.Answer)
	}
	success.Replayed = a.changed(ctx, in, success)
	recorded, err := a.cfg.Store.RecordSuccess(ctx, fence, success)
	finished := success.At
	return completions.Outcome{
		Answer: &success.Answer,
		Completion: completions.Completion{
			ID: in.ID, Tenant: in.Tenant, Route: in.Route, ConversationID: in.ConversationID, Epoch: in.Epoch,
			State: completions.StateSucceeded, AcceptedAt: in.AcceptedAt, FinishedAt: &finished,
			Provider: in.Provider, Model: in.Model, Attempts: made, Failovers: success.Failovers, Recovery: in.Recovery,
			ProviderTime: success.ProviderTime, ServedFrom: in.ServedFrom, Replayed: success.Replayed,
		},
	}, recorded, err
}

// recordKept records an answer that was given before to the same request. If it is gone by now, so is the answer.
func (a *Activities) recordKept(ctx context.Context, fence completions.Fence, in RecordInput) (completions.Outcome, bool, error) {
	request, ok := a.cfg.Handover.Request(in.ID)
	if !ok {
		var err error
		if request, err = a.cfg.Store.Request(ctx, in.ID); err != nil {
			return completions.Outcome{}, false, err
		}
	}
	key, err := cacheKey(in.Tenant, a.cfg.Router.Policy(in.Route).Route, request)
	if err != nil {
		return completions.Outcome{}, false, err
	}
	kept, err := a.cfg.Store.CachedAnswer(ctx, key)
	if err != nil {
		return completions.Outcome{}, false, err
	}
	if kept.Answer == nil {
		return completions.Outcome{}, false, completions.ErrAnswerLost
	}
	attempts, err := a.cfg.Store.Attempts(ctx, in.ID)
	if err != nil {
		return completions.Outcome{}, false, err
	}
	at := a.cfg.Now()
	success := completions.Success{
		Provider: kept.Provider, Model: kept.Model, Answer: *kept.Answer, Streamed: in.Recovery != "", AnsweredAt: at, At: at,
		Failovers: completions.Failovers(attempts), ServedFrom: in.ServedFrom,
	}
	for _, attempt := range attempts {
		success.ProviderTime += attempt.Latency()
	}
	recorded, err := a.cfg.Store.RecordSuccess(ctx, fence, success)
	return completions.Outcome{
		Answer: kept.Answer,
		Completion: completions.Completion{
			ID: in.ID, Tenant: in.Tenant, Route: in.Route, Epoch: in.Epoch, State: completions.StateSucceeded, AcceptedAt: in.AcceptedAt,
			FinishedAt: &at, Provider: kept.Provider, Model: kept.Model, Attempts: len(attempts), Failovers: success.Failovers,
			Recovery: in.Recovery, ProviderTime: success.ProviderTime, ServedFrom: in.ServedFrom,
		},
	}, recorded, err
}

func (a *Activities) recordFailure(ctx context.Context, fence completions.Fence, in RecordInput) (completions.Outcome, bool, error) {
	failure := in.Failure
	if failure == nil {
		failure = noCandidate(in.Plan, in.RetryAfter)
	}
	attempts, err := a.cfg.Store.Attempts(ctx, in.ID)
	if err != nil {
		return completions.Outcome{}, false, err
	}
	var providerTime time.Duration
	for _, attempt := range attempts {
		providerTime += attempt.Latency()
	}
	ended := completions.Failure{
		Error: *failure, ProviderTime: providerTime, Failovers: completions.Failovers(attempts), At: a.cfg.Now(),
	}
	if len(attempts) == 0 && (len(in.Plan.Candidates) > 0 || len(in.Plan.Excluded) > 0) {
		ended.Plan = &in.Plan
	}
	if in.Recovery != "" && failure.Kind == llm.KindCancelled {
		if ended.Said, err = a.said(ctx, in.ID, attempts); err != nil {
			return completions.Outcome{}, false, err
		}
	}
	recorded, err := a.cfg.Store.RecordFailure(ctx, fence, ended)
	return completions.Outcome{Answer: ended.Said, Completion: completions.Completion{
		ID: in.ID, Tenant: in.Tenant, Route: in.Route, ConversationID: in.ConversationID, Epoch: in.Epoch,
		State: completions.Final(*failure), AcceptedAt: in.AcceptedAt, FinishedAt: &ended.At, Attempts: len(attempts),
		Failovers: ended.Failovers, ProviderTime: providerTime, Error: failure, Recovery: in.Recovery,
	}}, recorded, err
}

// said is what clients have got of an answer that is not finished; nil if nothing.
func (a *Activities) said(ctx context.Context, id string, attempts []completions.Attempt) (*llm.Response, error) {
	log, err := a.cfg.Store.Transcript(ctx, id)
	if err != nil || log.End().At == 0 {
		return nil, err
	}
	said := log.Collect().Response()
	for _, attempt := range attempts {
		if attempt.Usage != nil {
			said.Usage = llm.Usage{
				InputTokens: said.Usage.InputTokens + attempt.Usage.InputTokens, OutputTokens: said.Usage.OutputTokens + attempt.Usage.OutputTokens,
				Estimated: true,
			}
		}
	}
	return &said, nil
}
