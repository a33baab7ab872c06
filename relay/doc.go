// Package relay passes what a completion says from the process that drives it to those that have readers for it:
//
//	Server  tells it to other processes, which ask for one completion at a time and prove that they belong here
//	Mirror  finds out who drives a completion, and writes what that process says into a feed of this one
//
// The way is one HTTP/2 connection between two processes, whatever the number of streams on it. Nothing depends on it: where
// it does not lead anywhere, a mirror reads what the driver keeps in PostgreSQL every two seconds.
package relay
