package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the kernel's USER_HZ, in which /proc counts CPU time: 100 a second on every Linux.
const tick = 10 * time.Millisecond

// processStat is what /proc/PID/stat says of a process.
type processStat struct {
	pid, parent int
	own         time.Duration // user and system
	reaped      time.Duration // of children that have ended and been waited for
}

func readStat(pid int) (processStat, error) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return processStat{}, err
	}
	// The name in brackets may hold anything; what follows the last bracket is fields 3 and on.
	_, rest, found := strings.Cut(string(raw[strings.LastIndexByte(string(raw), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 15 {
		return processStat{}, fmt.Errorf("/proc/%d/stat has an unknown format", pid)
	}
	number := func(field int) int { n, _ := strconv.Atoi(fields[field-3]); return n }
	return processStat{
		pid: pid, parent: number(4),
		own:    time.Duration(number(14)+number(15)) * tick,
		reaped: time.Duration(number(16)+number(17)) * tick,
	}, nil
}

// cpuOf is the CPU time that a process has used, without its children.
func cpuOf(pid int) time.Duration {
	stat, err := readStat(pid)
	if err != nil {
		return 0
	}
	return stat.own
}

// cpuOfTree is the CPU time of a process and all its descendants, the ended ones too.
func cpuOfTree(root int) time.Duration {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	stats := map[int]processStat{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if stat, err := readStat(pid); err == nil { // others end while we look
			stats[pid] = stat
		}
	}
	var sum time.Duration
	for pid, stat := range stats {
		for at := pid; at > 1; at = stats[at].parent {
			if at == root {
				sum += stat.own + stat.reaped
				break
			}
		}
	}
	return sum
}

// machineBusy is the CPU time that the whole machine has spent on anything, all cores added.
func machineBusy() time.Duration {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	var busy int
	for i, field := range strings.Fields(line)[1:] {
		// user nice system idle iowait irq softirq steal; guests are counted in user.
		if i == 3 || i == 4 || i > 7 {
			continue
		}
		n, _ := strconv.Atoi(field)
		busy += n
	}
	return time.Duration(busy) * tick
}

// memoryOf is a process's resident memory in bytes, now and at its highest.
func memoryOf(pid int) (now, peak int64) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kB, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			now = kB << 10
		case "VmHWM:":
			peak = kB << 10
		}
	}
	return now, peak
}
