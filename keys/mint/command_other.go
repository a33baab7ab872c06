//go:build !unix

package mint

import "os/exec"

// inItsOwnGroup leaves a program as it is: there are no process groups here, and what it has started is not killed with it.
func inItsOwnGroup(*exec.Cmd) {}
