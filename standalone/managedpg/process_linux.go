package managedpg

import "syscall"

// childAttr puts the server in a process group of its own, so that Ctrl-C in the terminal reaches this process only and the
// server outlives the drain, and has the kernel ask it for a fast shutdown when this process dies.
func childAttr(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential, Setpgid: true, Pdeathsig: syscall.SIGINT}
}
