// Package failover decides: which targets may serve a request and in which order ([Rank]), and what to do after an attempt
// has failed ([Decide]). Every decision carries its reason, which is shown to operators as it stands.
//
// It is pure: no I/O, no clock, no randomness of its own, no logger. The same state gives the same decision on every
// machine, so workflows may call it and tests can list its answers.
//
// Breakers, quota domains and routing strategies belong here too: a breaker's verdict enters through [Target.Ineligible], a
// strategy replaces the weighted draw in [Rank].
package failover
