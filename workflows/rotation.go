package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/rotation"
)

// KeyRotationWorkflow is the registered name of [KeyRotation].
const KeyRotationWorkflow = "KeyRotation"

// KeyRotationID is the id of the workflow that rotates a key: one at once.
func KeyRotationID(provider, name string) string { return "key-rotation/" + provider + "/" + name }

// KeyRotationInput says which key is rotated, and why.
type KeyRotationInput struct {
	Provider string `json:"provider"`
	Name     string `json:"name"`
	Because  string `json:"because"`
	// DryRun does all but promote the new key and revoke the former one.
	DryRun bool `json:"dry_run,omitempty"`
}

const (
	// heardBy is when every process has heard of a promotion for sure: those that hear no announcement look every ten seconds.
	heardBy = 15 * time.Second
	// settleChecks are how often in a row a new key must be taken, so far apart: a vendor's front doors do not learn of it at once.
	settleChecks, settlePause = 3, time.Second
	// drainLook is how often it is looked whether calls with the former key are still in flight.
	drainLook = 5 * time.Second
	// undoingTime is how long it is tried to take back what was done, or away what is left.
	undoingTime = 24 * time.Hour
)

// KeyRotation replaces a key: the new one is minted, tried, put into use and waited for, and then the former one is revoked. A step
// that fails is undone with those before it. At every moment a key that was tried is in use.
func KeyRotation(ctx workflow.Context, in KeyRotationInput) (rotation.Rotation, error) {
	id := workflow.GetInfo(ctx).WorkflowExecution.RunID
	k := &keyRotation{dryRun: in.DryRun}
	var begun activities.RotationBegun
	beginning, cancel := workflow.NewDisconnectedContext(ctx) // what is begun has an end, too
	defer cancel()
	err := workflow.ExecuteActivity(withStep(beginning, "write down that it begins", time.Hour), rotate.BeginRotation, rotation.Rotation{
		ID: id, Provider: in.Provider, Name: in.Name, Because: in.Because, DryRun: in.DryRun, StartedAt: workflow.Now(ctx),
	}).Get(ctx, &begun)
	if err != nil {
		return rotation.Rotation{}, err // nothing was done
	}
	k.rotation, k.drain = begun.Rotation, begun.Drain
	k.say(ctx, "it begins: "+in.Because)
	if begun.Left != nil {
		k.clear(ctx, *begun.Left)
	}
	if err := k.replace(ctx); err != nil {
		return k.undo(ctx, err)
	}
	if in.DryRun {
		return k.end(ctx, rotation.Rehearsed, "")
	}
	return k.revoke(ctx)
}

// keyRotation is a rotation under way.
type keyRotation struct {
	rotation rotation.Rotation
	drain    time.Duration
	dryRun   bool
	// promoted is when the new key was put into use.
	promoted time.Time
	story    string
}

// say adds to what the Web UI shows of the workflow.
func (k *keyRotation) say(ctx workflow.Context, what string) {
	k.story += fmt.Sprintf("- %s %s\n", workflow.Now(ctx).UTC().Format(time.TimeOnly), what)
	workflow.SetCurrentDetails(ctx, k.story)
}

// replace puts a new key that works into the place of the former one. A rehearsal stops before that, and takes the new one away.
func (k *keyRotation) replace(ctx workflow.Context) error {
	var handle string
	if err := workflow.ExecuteActivity(withStep(ctx, "mint a new key", 15*time.Minute), rotate.MintKey, k.rotation).Get(ctx, &handle); err != nil {
		return failed("minting", err)
	}
	k.say(ctx, fmt.Sprintf("version %d is minted, and not in use yet; its provider calls it %s", k.rotation.Version, handle))
	if err := k.check(ctx, rotation.Verify, "try the new key", 10*time.Minute, k.rotation.Version); err != nil {
		return failed("trying the new key", err)
	}
	for range settleChecks {
		if err := pause(ctx, settlePause, "a vendor's front doors do not learn of a key at once"); err != nil {
			return err
		}
		if err := k.check(ctx, rotation.DualValid, "try the new key again", 10*time.Minute, k.rotation.Version); err != nil {
			return failed("trying the new key", err)
		}
	}
	var formerWorks bool
	if err := workflow.ExecuteActivity(withStep(ctx, "try the former key", 10*time.Minute), rotate.FormerWorks, k.rotation).Get(ctx, &formerWorks); err != nil {
		return failed("trying the former key", err)
	}
	if formerWorks {
		k.say(ctx, "its provider takes the new key, and the former one as before")
	} else {
		k.say(ctx, "its provider takes the new key, and the former one not any more")
	}
	if k.dryRun {
		kept, err := k.takeAway(ctx, k.rotation, undoingTime, "it was a rehearsal")
		if err == nil && kept != "" {
			k.say(ctx, kept)
		}
		return err
	}
	promotion := activities.PromoteInput{Rotation: k.rotation, FormerWorks: formerWorks}
	if err := workflow.ExecuteActivity(withStep(ctx, "put the new key into use", time.Hour), rotate.PromoteKey, promotion).Get(ctx, &k.promoted); err != nil {
		return failed("promoting", err)
	}
	k.say(ctx, fmt.Sprintf("version %d is in use on every worker; version %d drains", k.rotation.Version, k.rotation.Former))
	return k.drainFormer(ctx)
}

func (k *keyRotation) check(ctx workflow.Context, step rotation.Step, summary string, atMost time.Duration, versions ...int) error {
	return workflow.ExecuteActivity(withStep(ctx, summary, atMost), rotate.CheckKeys, activities.CheckInput{Rotation: k.rotation, Step: step, Versions: versions}).Get(ctx, nil)
}

// drainFormer waits until no call is in flight that may have begun with the former key, and sees that the new one does well.
func (k *keyRotation) drainFormer(ctx workflow.Context) error {
	before := k.promoted.Add(heardBy)
	if err := pause(ctx, heardBy, "until every worker has heard of it for sure"); err != nil {
		return err
	}
	end := k.promoted.Add(k.drain)
	for {
		var draining activities.Draining
		err := workflow.ExecuteActivity(withStep(ctx, "look what is in flight", time.Hour), rotate.DrainKey, activities.DrainInput{Rotation: k.rotation, Before: before}).Get(ctx, &draining)
		switch {
		case err != nil:
			return failed("draining", err)
		case draining.State == "quarantined" || draining.State == "draining":
			return errors.New("draining: the new key was refused in use, or another was put in its place")
		case draining.InFlight == 0:
			k.say(ctx, "no call is in flight any more that began with the former key")
		case workflow.Now(ctx).After(end):
			k.say(ctx, fmt.Sprintf("%d calls have been in flight for longer than %s; they are not waited for", draining.InFlight, k.drain))
		default:
			if err := pause(ctx, drainLook, fmt.Sprintf("%d calls are in flight", draining.InFlight)); err != nil {
				return err
			}
			continue
		}
		break
	}
	if err := k.check(ctx, rotation.Confirm, "try the new key once more", 10*time.Minute, k.rotation.Version); err != nil {
		return failed("confirming", err)
	}
	return nil
}

// revoke takes the former key away. The new one is in use by now, whatever comes of it.
func (k *keyRotation) revoke(ctx workflow.Context) (rotation.Rotation, error) {
	var left string
	err := workflow.ExecuteActivity(withStep(ctx, "revoke the former key", undoingTime), rotate.RevokeFormer, k.rotation).Get(ctx, &left)
	switch {
	case err != nil && ctx.Err() != nil:
		left = "it was cancelled before the former key was revoked: revoke it at its provider by hand"
	case err != nil:
		left = "the former key could not be revoked at its provider, do so by hand: " + reason(err)
	case left == "":
		k.say(ctx, fmt.Sprintf("version %d is revoked, and erased", k.rotation.Former))
	}
	if left != "" {
		k.say(ctx, left)
	}
	return k.end(ctx, rotation.Done, left)
}

// undo puts the former key back into use, if it is not, and takes the new one away.
func (k *keyRotation) undo(ctx workflow.Context, failure error) (rotation.Rotation, error) {
	why := reason(failure)
	if ctx.Err() != nil {
		why = "it was cancelled"
	}
	k.say(ctx, "it is undone: "+why)
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	kept, err := k.takeAway(ctx, k.rotation, undoingTime, why)
	switch {
	case err != nil:
		return k.end(ctx, rotation.Failed, why+"; and what was minted could not be taken away: "+reason(err))
	case kept != "":
		k.say(ctx, kept)
		return k.end(ctx, rotation.Failed, why+"; "+kept)
	}
	k.say(ctx, fmt.Sprintf("nothing is left of version %d", k.rotation.Version))
	return k.end(ctx, rotation.Undone, why)
}

// takeAway puts the former key of a rotation back, if it must, and takes away what it has minted. Kept says why not, if it is in use.
func (*keyRotation) takeAway(ctx workflow.Context, of rotation.Rotation, atMost time.Duration, why string) (kept string, err error) {
	err = workflow.ExecuteActivity(withStep(ctx, "take the new key away", atMost), rotate.UndoRotation, activities.UndoInput{Rotation: of, Why: why}).Get(ctx, &kept)
	return kept, err
}

// clear does what the rotation before has left undone, whose workflow was ended from outside: the former key of what it has promoted
// is revoked, or what it has minted taken away. What cannot be done is told, and left.
func (k *keyRotation) clear(ctx workflow.Context, left rotation.Rotation) {
	const atMost = 5 * time.Minute
	var byHand string
	var err error
	if left.Version == k.rotation.Former {
		err = workflow.ExecuteActivity(withStep(ctx, "revoke what the rotation before has replaced", atMost), rotate.RevokeFormer, left).Get(ctx, &byHand)
	} else {
		byHand, err = k.takeAway(ctx, left, atMost, "its rotation was ended from outside")
	}
	switch {
	case err != nil:
		k.say(ctx, "what the rotation before has left could not be taken away: "+reason(err))
	case byHand != "":
		k.say(ctx, "the rotation before: "+byHand)
	default:
		k.say(ctx, "nothing is left of the rotation before")
	}
}

// end writes down what came of it.
func (k *keyRotation) end(ctx workflow.Context, state rotation.State, problem string) (ended rotation.Rotation, err error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	err = workflow.ExecuteActivity(withStep(ctx, "write down what came of it: "+string(state), undoingTime), rotate.EndRotation,
		activities.EndInput{ID: k.rotation.ID, State: state, Problem: problem}).Get(ctx, &ended)
	return ended, err
}

// withStep is for one step, which is tried for so long.
func withStep(ctx workflow.Context, summary string, atMost time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: OperationsQueue, StartToCloseTimeout: 2 * time.Minute, ScheduleToCloseTimeout: atMost, HeartbeatTimeout: heartbeatTimeout,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: max(time.Second, min(atMost/20, 10*time.Minute))},
		Summary:     summary,
	})
}

// pause waits, and says why in the Web UI.
func pause(ctx workflow.Context, d time.Duration, why string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: why}).Get(ctx, nil)
}

// failed says which step came to nothing, and why.
func failed(step string, err error) error { return fmt.Errorf("%s: %s", step, reason(err)) }

// reason is what an activity's error says, without what Temporal says around it.
func reason(err error) string {
	if application, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return application.Message()
	}
	return err.Error()
}
