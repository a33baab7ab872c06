//go:build unix && !linux

package e2e_test

import "syscall"

// childAttr leaves the child in the test's process group, so that what ends the group ends the child.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
