package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/failover"
)

// failure is what an activity's error means here. This is the only place that reads it.
type failure struct {
	// attempt is set when a provider call failed and its activity said what follows.
	attempt *activities.AttemptFailed
	// postponed is set when the candidate was not called; it says what follows.
	postponed  *failover.Decision
	superseded bool
	answerLost bool
	cancelled  bool
}

func readFailure(err error) failure {
	var application *temporal.ApplicationError
	switch {
	case err == nil:
		return failure{}
	case temporal.IsCanceledError(err):
		return failure{cancelled: true}
	case !errors.As(err, &application):
		return failure{}
	}
	switch application.Type() {
	case activities.ErrTypeSuperseded:
		return failure{superseded: true}
	case activities.ErrTypeAnswerLost:
		return failure{answerLost: true}
	case activities.ErrTypeCancelled:
		return failure{cancelled: true}
	case activities.ErrTypePostponed:
		var decision failover.Decision
		if application.HasDetails() && application.Details(&decision) == nil {
			return failure{postponed: &decision}
		}
	}
	var failed activities.AttemptFailed
	if application.HasDetails() && application.Details(&failed) == nil && failed.Error != nil {
		return failure{attempt: &failed}
	}
	return failure{}
}
