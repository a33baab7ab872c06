//go:build unix && !linux

package managedpg

import "syscall"

// childAttr puts the server in a process group of its own, so that Ctrl-C in the terminal reaches this process only and the
// server outlives the drain. There is no parent-death signal here: the next start ends a server left behind.
func childAttr(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential, Setpgid: true}
}
