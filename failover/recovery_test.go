package failover_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// TestRecoveries is the table of what becomes of a stream that breaks: what was seen of it, by policy and kind of failure.
func TestRecoveries(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	for _, policy := range append(failover.Recoveries(), "") {
		for _, shown := range []failover.Shown{failover.ShownNothing, failover.ShownText, failover.ShownFixed} {
			fmt.Fprintf(&table, "%-9s shown %-6s resumes %s\n", policy, shown, failover.Resume(policy, shown))
			for _, kind := range []llm.Kind{llm.KindStreamBroken, llm.KindTimeout, llm.KindOverloaded, llm.KindQuota, llm.KindContentPolicy, llm.KindCancelled} {
				for n := 1; n <= 2; n++ {
					decision := failover.Decide(failover.State{
						Candidates: candidates(n, 1), Deadline: start.Add(time.Minute), Seed: "golden", Recovery: policy,
						Failures: []failover.Failure{{Deployment: "d1", Kind: kind, Shown: shown, At: start}},
					}, start)
					fmt.Fprintf(&table, "  %-15s of %d  %-10s %s\n", kind, n, decision.Action, decision.Reason)
				}
			}
		}
	}
	golden := filepath.Join("testdata", "recoveries.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(table.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), table.String())
}

// The answer of one attempt is put behind that of another by policy only, and never where it is not text.
func TestNothingIsPutTogetherAgainstThePolicy(t *testing.T) {
	t.Parallel()
	for _, policy := range append(failover.Recoveries(), "") {
		for _, shown := range []failover.Shown{failover.ShownText, failover.ShownFixed} {
			for _, kind := range llm.Kinds() {
				decision := failover.Decide(failover.State{
					Candidates: candidates(3, 2), Deadline: start.Add(time.Minute), Seed: "x", Recovery: policy,
					Failures: []failover.Failure{{Deployment: "d1", Kind: kind, Shown: shown, At: start}},
				}, start)
				goesOn := decision.Action != failover.ActionGiveUp
				allowed := policy == failover.RecoveryRestart || policy == failover.RecoveryContinue && shown == failover.ShownText
				require.False(t, goesOn && !allowed, "%s, %s, %s: %s", policy, shown, kind, decision.Reason)
			}
		}
	}
}
