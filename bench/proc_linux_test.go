package bench

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// burn uses the processor for a while.
func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func TestCPUOfAProcess(t *testing.T) {
	t.Parallel()
	before, machine := cpuOf(os.Getpid()), machineBusy()
	for cpuOf(os.Getpid())-before < 100*time.Millisecond { // other tests may run, and add to it
		burn(20 * time.Millisecond)
	}
	require.GreaterOrEqual(t, machineBusy()-machine, 90*time.Millisecond, "the machine was at least as busy as we")
	now, peak := memoryOf(os.Getpid())
	require.Greater(t, now, int64(1<<20))
	require.GreaterOrEqual(t, peak, now)
}

func TestCPUOfATreeIncludesDescendants(t *testing.T) {
	t.Parallel()
	before := cpuOfTree(os.Getpid())
	// The inner shell is a grandchild that lives; the outer one only waits.
	child := exec.CommandContext(t.Context(), "sh", "-c", "sh -c 'while :; do :; done' & wait")
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, child.Start())
	defer func() {
		_ = syscall.Kill(-child.Process.Pid, syscall.SIGKILL) // both shells
		_ = child.Wait()
	}()
	require.Eventually(t, func() bool { return cpuOfTree(child.Process.Pid)-cpuOf(child.Process.Pid) >= 50*time.Millisecond },
		30*time.Second, 20*time.Millisecond)
	require.GreaterOrEqual(t, cpuOfTree(os.Getpid())-before, 50*time.Millisecond)
}
