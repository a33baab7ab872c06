// Package completions is the record of what was asked and what became of it: a [Completion], its [Attempt] rows, and the
// rules that keep exactly one outcome per accepted request. It holds types and ids only; package store keeps them in
// PostgreSQL.
//
//	open ──▶ succeeded
//	     └─▶ failed
//
// An open completion belongs to one process (its instance) at one epoch. When that process is judged dead, another raises
// the epoch and drives the completion again; whatever the old epoch still tries to record is refused with [ErrSuperseded].
package completions
