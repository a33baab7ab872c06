// Package workflows holds the deterministic stories. [Completion] is the main one: a request's way from its acceptance to
// exactly one recorded outcome, through as many providers as it takes.
//
// A workflow decides nothing about providers by itself and touches nothing: package failover decides, package activities
// acts. What stands in a workflow's history is references and metadata, never a prompt, an answer or a key.
package workflows
