package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	temporallog "go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// The bare workflows, by the names of the subjects that they are measured as.
const (
	bareQueue        = "bench-bare"
	bareRegularQueue = "bench-bare-regular"
	// taskTimeout is that of a completion, so that a wait inside a local activity costs the server as little.
	taskTimeout = 60 * time.Second
	// bareSlots is the number of slots that a completion worker has.
	bareSlots = 8192
)

// emptyWorkflow is the least that a workflow can be.
func emptyWorkflow(workflow.Context, time.Duration) error { return nil }

// localWorkflow runs one local activity, which does nothing for the time given.
func localWorkflow(ctx workflow.Context, wait time.Duration) error {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{ScheduleToCloseTimeout: 5 * time.Minute})
	return workflow.ExecuteLocalActivity(ctx, idle, wait).Get(ctx, nil)
}

// regularWorkflow runs one regular activity, which does nothing for the time given.
func regularWorkflow(ctx workflow.Context, wait time.Duration) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{ScheduleToCloseTimeout: 5 * time.Minute})
	return workflow.ExecuteActivity(ctx, idle, wait).Get(ctx, nil)
}

func idle(ctx context.Context, wait time.Duration) error {
	pause(ctx, wait)
	return ctx.Err()
}

// order asks the driver to run one closed loop.
type order struct {
	Subject subject       `json:"subject"`
	Clients int           `json:"clients"`
	Warm    time.Duration `json:"warm"`
	Window  time.Duration `json:"window"`
	Wait    time.Duration `json:"wait"`
}

// event is what the driver says: the window opens, closes, and in the end the result.
type event struct {
	Event  string  `json:"event"`
	Sample *sample `json:"sample,omitempty"`
}

// DriveWorkflows starts bare workflows on the Temporal server, in closed loops as they are ordered, until the input ends. Its
// worker and its client are set up as those of a Holdfast process are: eager start, no compression, the same slots.
func DriveWorkflows(ctx context.Context, temporal string, in io.Reader, out io.Writer) error {
	quiet := temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	c, err := client.DialContext(ctx, client.Options{
		HostPort: temporal, Logger: quiet,
		ConnectionOptions: client.ConnectionOptions{GrpcCompression: &client.GrpcCompressionNone{}},
	})
	if err != nil {
		return fmt.Errorf("connecting to Temporal: %w", err)
	}
	defer c.Close()
	for queue, localOnly := range map[string]bool{bareQueue: true, bareRegularQueue: false} {
		worker := sdkworker.New(c, queue, sdkworker.Options{
			MaxConcurrentWorkflowTaskExecutionSize:  bareSlots,
			MaxConcurrentLocalActivityExecutionSize: bareSlots,
			MaxConcurrentActivityExecutionSize:      bareSlots,
			LocalActivityWorkerOnly:                 localOnly,
		})
		worker.RegisterWorkflow(emptyWorkflow)
		worker.RegisterWorkflow(localWorkflow)
		worker.RegisterWorkflow(regularWorkflow)
		worker.RegisterActivity(idle)
		if err := worker.Start(); err != nil {
			return fmt.Errorf("starting the worker of the bare workflows: %w", err)
		}
		defer worker.Stop()
	}
	answers, orders := json.NewEncoder(out), json.NewDecoder(in)
	if err := answers.Encode(event{Event: "ready"}); err != nil {
		return err
	}
	for {
		var next order
		if err := orders.Decode(&next); err != nil {
			return nil // the benchmark has ended, however it ended
		}
		result := loop{
			clients: next.Clients, warm: next.Warm, window: next.Window, call: bareCall(c, next.Subject, next.Wait),
			opened: func() { _ = answers.Encode(event{Event: "opened"}) },
			closed: func() { _ = answers.Encode(event{Event: "closed"}) },
		}.run(ctx)
		if err := answers.Encode(event{Event: "result", Sample: result}); err != nil {
			return err
		}
	}
}

// bareCall starts one workflow and awaits its end through its history.
func bareCall(c client.Client, what subject, wait time.Duration) func(context.Context) error {
	fn, queue := any(emptyWorkflow), bareQueue
	switch what {
	case bareLocal:
		fn = localWorkflow
	case bareRegular:
		fn, queue = regularWorkflow, bareRegularQueue
	default: // the empty one
	}
	return func(ctx context.Context) error {
		run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID:                       fmt.Sprintf("bench/%016x%016x", rand.Uint64(), rand.Uint64()), //nolint:gosec // no secret
			TaskQueue:                queue,
			WorkflowTaskTimeout:      taskTimeout,
			WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
			EnableEagerStart:         true,
		}, fn, wait)
		if err != nil {
			return err
		}
		return run.Get(ctx, nil)
	}
}
