package workflows

import (
	"context"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
)

// act is a stub: only its methods' names are used, to schedule activities by reference.
var act *activities.Activities

// ops is the same for what looks after providers.
var ops *activities.Operations

// keep is the same for what keeps no longer than is allowed.
var keep *activities.Retention

// rotate is the same for rotations of keys, upkeep for what looks after them.
var (
	rotate *activities.Rotation
	upkeep *activities.Upkeep
)

// tell is the same for what tells webhooks of alerts.
var tell *activities.Alerts

// local runs a local activity with typed input and result.
func local[In, Out any](ctx workflow.Context, fn func(context.Context, In) (Out, error), in In) (out Out, err error) {
	err = workflow.ExecuteLocalActivity(ctx, fn, in).Get(ctx, &out)
	return out, err
}

// remote runs a regular activity with typed input and result.
func remote[In, Out any](ctx workflow.Context, fn func(context.Context, In) (Out, error), in In) (out Out, err error) {
	err = workflow.ExecuteActivity(ctx, fn, in).Get(ctx, &out)
	return out, err
}
