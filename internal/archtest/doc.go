// Package archtest checks who imports whom. The rules are a table with a reason each, in rules_test.go; the graph is what
// `go list` says, so types are never loaded and the test takes about a second.
//
// An import is forbidden to a package directly, or through any of this module's own packages that it reaches. What third
// parties import among themselves is their affair.
package archtest
