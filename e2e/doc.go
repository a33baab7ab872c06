// Package e2e tests the real binary from the outside: processes that are killed, paused, interrupted and started again, a
// PostgreSQL that goes away under them, and clients who want their answers all the same.
//
// The providers are simulators that live in the test process, so that they outlive every holdfast that is killed and can
// say what reached them. Each instance has a data directory and free ports of its own; all children die with the test
// process. The binary is the one that package temporaltest builds, or the one that HOLDFAST_TEST_BINARY names.
//
// The tests need PostgreSQL's binaries and take minutes; -short leaves them out.
package e2e
