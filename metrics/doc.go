// Package metrics tells Prometheus what is known of alerts and keys, and of this process. What it tells of is read when it is asked,
// in a bounded time; a source that does not answer leaves its metrics out and says so.
package metrics
