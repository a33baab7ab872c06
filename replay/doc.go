// Package replay decides what of a conversation is said again to the provider of its next turn: what fits its window, what is left
// out if all does not, and what a change of provider loses and costs. It is pure: no I/O, no clock, no logger.
package replay
