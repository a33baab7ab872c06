//go:build unix && !linux

package temporaltest

import "syscall"

// childAttr leaves the server in the test's process group, so that what ends the group ends the server.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
