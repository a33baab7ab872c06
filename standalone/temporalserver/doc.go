// Package temporalserver runs a Temporal server and its Web UI inside this process, on PostgreSQL. It is for one machine:
// one process, loopback addresses, four shards, no authentication. Production uses a cluster of its own and does not link
// this package, which is why it is the only one that imports go.temporal.io/server and the UI server.
//
// State lives in the databases "temporal" and "temporal_visibility" and survives restarts, kill -9 and outages of
// PostgreSQL. The schema, the namespace and its search attributes are made before the server starts, so the first client
// finds all of it; a newer binary upgrades the schema at its start.
//
//	Start:  ports free? ─▶ databases, schema, lock ─▶ namespace ─▶ matching, history, frontend, worker ─▶ search attributes ─▶ UI
//	Stop:   UI ─▶ worker, frontend, history, matching ─▶ lock
package temporalserver
