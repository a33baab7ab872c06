package worker

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/workflows"
)

// slots bounds the workflow tasks and local activities in flight. A completion holds one of each while its first call
// runs, so this is the number of calls in flight that a process can carry; waiting for a provider costs little.
const slots = 8192

// Options choose what a process works on.
type Options struct {
	// Completions is whether completion workflows run here. A process that accepts requests wants it, for eager start.
	Completions bool
	// ProviderCalls is whether later attempts are made here.
	ProviderCalls bool
	// Operations is whether providers are looked after here, their keys, and what is kept: health, probes, rotation, retention, deliveries of alerts.
	Operations bool
	// StopTimeout is how long Stop waits for what is running.
	StopTimeout time.Duration
}

// Worker is a process's Temporal workers.
type Worker struct {
	workers []sdkworker.Worker
}

// New makes the workers; Start runs them.
// Operating are the structs of activities that look after providers, keys, and what is kept.
func New(c client.Client, acts *activities.Activities, operating []any, opts Options) *Worker {
	w := &Worker{}
	if opts.Completions {
		completions := sdkworker.New(c, workflows.CompletionsQueue, sdkworker.Options{
			MaxConcurrentWorkflowTaskExecutionSize:  slots,
			MaxConcurrentLocalActivityExecutionSize: slots,
			LocalActivityWorkerOnly:                 true,
			WorkerStopTimeout:                       opts.StopTimeout,
			// A dead process's sticky queue must not hold its workflows up for long.
			StickyScheduleToStartTimeout: 2 * time.Second,
		})
		workflows.Register(completions)
		completions.RegisterActivity(acts)
		w.workers = append(w.workers, completions)
	}
	if opts.ProviderCalls {
		calls := sdkworker.New(c, workflows.ProviderCallsQueue, sdkworker.Options{
			MaxConcurrentActivityExecutionSize: slots,
			DisableWorkflowWorker:              true,
			WorkerStopTimeout:                  opts.StopTimeout,
		})
		calls.RegisterActivity(acts)
		w.workers = append(w.workers, calls)
	}
	if opts.Operations {
		operations := sdkworker.New(c, workflows.OperationsQueue, sdkworker.Options{
			// There is little to do here, and each poller holds a connection of the server's.
			MaxConcurrentActivityTaskPollers: 1,
			MaxConcurrentWorkflowTaskPollers: 2,
			WorkerStopTimeout:                opts.StopTimeout,
		})
		workflows.RegisterOperations(operations)
		for _, activities := range operating {
			operations.RegisterActivity(activities)
		}
		w.workers = append(w.workers, operations)
	}
	return w
}

// Start begins to work.
func (w *Worker) Start() error {
	for _, worker := range w.workers {
		if err := worker.Start(); err != nil {
			return fmt.Errorf("starting a worker: %w", err)
		}
	}
	return nil
}

// Stop takes no new work and waits for what is running, at most the stop timeout.
func (w *Worker) Stop() {
	for _, worker := range w.workers {
		worker.Stop()
	}
}
