// Package activities touches the world for the workflows: it begins attempts, calls providers and records outcomes, through
// small interfaces that it declares itself. Each activity may run twice, or die half way, at any point:
//
//	Prepare    claims the completion at its epoch, ranks the route's targets, begins the first attempt
//	CallModel  makes one provider call; decides, if it failed, what follows
//	Record     writes the outcome once, and hands it to the waiting client
//
// Prompts, answers and keys never enter an activity's input or result: those travel through Temporal's history. They go
// through PostgreSQL, or stay in this process.
package activities
