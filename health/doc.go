// Package health is one process's view of its providers: which domains are called (see [failover.Domain]), how much of their
// limits is left, how fast they answer. It acts on what this process sees at once, tells the others through a [Board], and hears
// from them; without one it goes on by itself. Decisions are those of package failover; this package remembers.
package health
