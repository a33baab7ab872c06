package completions

import "errors"

var (
	// ErrNotFound says that no such completion or conversation exists for this tenant.
	ErrNotFound = errors.New("not found")
	// ErrSuperseded says that the completion is driven by a newer epoch, so this one must stop and record nothing.
	ErrSuperseded = errors.New("superseded by a newer epoch")
	// ErrKeyReused says that the idempotency key was used before with another request body.
	ErrKeyReused = errors.New("idempotency key was used with another request")
	// ErrNoPrevious says that the completion whose turn is to be followed on is not on record, or has no turn there.
	ErrNoPrevious = errors.New("no such previous response")
	// ErrOpen says that the completion has no outcome yet.
	ErrOpen = errors.New("the completion is still running")
	// ErrErased says that the content of the completion is gone: its time was over, or it was erased.
	ErrErased = errors.New("the content is gone")
	// ErrAnswerLost says that a call succeeded but its answer died with the process that held it.
	ErrAnswerLost = errors.New("the answer was lost before it was recorded")
)
