//go:build unix

package mint

import (
	"os/exec"
	"syscall"
)

// inItsOwnGroup has a program be killed together with what it has started.
func inItsOwnGroup(program *exec.Cmd) {
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	program.Cancel = func() error { return syscall.Kill(-program.Process.Pid, syscall.SIGKILL) }
}
