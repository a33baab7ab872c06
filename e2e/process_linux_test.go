package e2e_test

import "syscall"

// childAttr has the kernel kill the child when the test process dies, and keeps Ctrl-C for the test process.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
