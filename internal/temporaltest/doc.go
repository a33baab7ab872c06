// Package temporaltest gives tests a real Temporal server, without linking it: the built binary runs as a process of its own
// (holdfast temporal --throwaway) on the PostgreSQL of [pgtest]. So `go test -race ./...` never compiles the server.
//
// The test process starts one server for all its tests, on first use; tests keep apart by task queues and workflow ids of
// their own. A test that stops or kills a server starts its own with [New]. The binary is built once into .build/ at the
// module's root; HOLDFAST_TEST_BINARY names one that is built already.
//
//	func TestMain(m *testing.M) { os.Exit(temporaltest.Main(m)) }
//
//	func TestCompletion(t *testing.T) {
//		t.Parallel()
//		c := temporaltest.Start(t).Client(t)
//		…
//		temporaltest.RequireHistory(t, c, id, `
//			WorkflowExecutionStarted {"workflowType": {"name": "Completion"}}
//			...
//			WorkflowExecutionCompleted`)
//
// [pgtest]: https://pkg.go.dev/github.com/holdfast-dev/holdfast/internal/pgtest
package temporaltest
