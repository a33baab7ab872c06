package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/activities"
)

// ProviderProbesWorkflow is the registered name of [ProviderProbes], and ProviderProbesSchedule the id of the schedule that starts
// it.
const (
	ProviderProbesWorkflow = "ProviderProbes"
	ProviderProbesSchedule = "holdfast-provider-probes"
)

// ProviderProbes asks every provider, by calls that cost nothing, whether it answers and takes our keys.
func ProviderProbes(ctx workflow.Context) (activities.ProbesResult, error) {
	var result activities.ProbesResult
	err := workflow.ExecuteActivity(withProbesOptions(ctx), ops.ProbeAll).Get(ctx, &result)
	if err == nil {
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d asked, failed: %v, opened: %v, passed over: %v", result.Probed, result.Failed, result.Opened, result.Skipped))
	}
	return result, err
}
