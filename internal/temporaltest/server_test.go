package temporaltest_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	workflowservicepb "go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
	"github.com/holdfast-dev/holdfast/internal/temporaltest"
)

// within bounds what these tests wait for; the machine may be busy.
const within = time.Minute

// Relay waits for a signal and returns what it says.
func Relay(ctx workflow.Context, greeting string) (string, error) {
	var said string
	workflow.GetSignalChannel(ctx, "say").Receive(ctx, &said)
	return greeting + " " + said, nil
}

// runWorker serves Relay on a task queue of the test's own.
func runWorker(t *testing.T, c client.Client) (taskQueue string) {
	t.Helper()
	taskQueue = t.Name()
	w := sdkworker.New(c, taskQueue, sdkworker.Options{})
	w.RegisterWorkflow(Relay)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return taskQueue
}

func startRelay(t *testing.T, c client.Client, taskQueue string) client.WorkflowRun {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: t.Name(), TaskQueue: taskQueue,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword("HoldfastTenant").ValueSet("acme"),
			temporal.NewSearchAttributeKeyInt64("HoldfastFailovers").ValueSet(2),
		),
	}, Relay, "hello")
	require.NoError(t, err)
	return run
}

func finish(t *testing.T, c client.Client, run client.WorkflowRun) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, c.SignalWorkflow(ctx, run.GetID(), "", "say", "world"))
	var said string
	require.NoError(t, run.Get(ctx, &said))
	require.Equal(t, "hello world", said)
}

func TestAWorkflowRunsAndCanBeFound(t *testing.T) {
	t.Parallel()
	c := temporaltest.Start(t).Client(t)
	run := startRelay(t, c, runWorker(t, c))
	finish(t, c, run)
	temporaltest.RequireHistory(t, c, run.GetID(), `
		WorkflowExecutionStarted {"workflowType": {"name": "Relay"}, "input": ["hello"]}
		...
		WorkflowExecutionSignaled {"signalName": "say", "input": ["world"]}
		...
		WorkflowExecutionCompleted {"result": ["hello world"]}`)

	query := `HoldfastTenant = "acme" AND HoldfastFailovers = 2 AND ExecutionStatus = "Completed" AND WorkflowId = "` + run.GetID() + `"`
	require.Eventually(t, func() bool {
		found, err := c.CountWorkflow(t.Context(), &workflowservicepb.CountWorkflowExecutionsRequest{Query: query})
		return err == nil && found.GetCount() == 1
	}, within, 50*time.Millisecond)
}

func TestASchedulesWorkflowsRun(t *testing.T) {
	t.Parallel()
	c := temporaltest.Start(t).Client(t)
	taskQueue := runWorker(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	schedule, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:     t.Name(),
		Spec:   client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}},
		Action: &client.ScheduleWorkflowAction{ID: t.Name(), Workflow: Relay, Args: []any{"hello"}, TaskQueue: taskQueue},
	})
	require.NoError(t, err)
	require.NoError(t, schedule.Trigger(ctx, client.ScheduleTriggerOptions{}))
	require.Eventually(t, func() bool {
		described, err := schedule.Describe(ctx)
		return err == nil && len(described.Info.RunningWorkflows) == 1
	}, within, 50*time.Millisecond)
	require.NoError(t, schedule.Delete(ctx))
}

func TestAThrowawayDatabaseKeepsOnlyTheIndexesInUse(t *testing.T) {
	t.Parallel()
	temporaltest.Start(t)
	conn, err := pgx.Connect(t.Context(), strings.Replace(pgtest.AdminURL(t), "/postgres?", "/temporal_visibility?", 1))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	var keywords, all int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE indexname LIKE 'by\_keyword\___'), count(*)
		FROM pg_indexes WHERE tablename = 'executions_visibility'`).Scan(&keywords, &all))
	require.Equal(t, 10, keywords)
	require.Less(t, all, 20)
}

func TestStateSurvivesAKillOfTheServer(t *testing.T) {
	t.Parallel()
	server := temporaltest.New(t, pgtest.Server(t).URL)
	c := server.Client(t)
	run := startRelay(t, c, runWorker(t, c))

	server.Kill(t)
	require.False(t, server.Alive())
	server.Restart(t)
	finish(t, c, run)

	server.Stop(t)
	server.Restart(t)
	temporaltest.RequireHistory(t, c, run.GetID(), "...\nWorkflowExecutionCompleted")
}

func TestAnOutageOfPostgresIsSurvived(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	postgres := pgtest.Server(t)
	server := temporaltest.New(t, postgres.URL)
	c := server.Client(t)
	run := startRelay(t, c, runWorker(t, c))

	postgres.Stop(t)
	outage, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	// The requests of these ten seconds fail, or wait and fail.
	for outage.Err() == nil {
		require.Error(t, c.SignalWorkflow(outage, run.GetID(), "", "say", "lost"))
	}
	require.True(t, server.Alive(), server.Log())
	postgres.Start(t)
	finishedAfter := time.Now()
	require.Eventually(t, func() bool {
		return c.SignalWorkflow(t.Context(), run.GetID(), "", "say", "world") == nil
	}, within, 100*time.Millisecond, server.Log())
	ctx, done := context.WithTimeout(t.Context(), within)
	defer done()
	var said string
	require.NoError(t, run.Get(ctx, &said))
	require.Contains(t, said, "hello ")
	require.True(t, server.Alive(), server.Log())
	t.Logf("finished %s after postgres was back; log of the outage: %d bytes", time.Since(finishedAfter), len(server.Log()))
}

func TestASetupCutShortIsBegunAgain(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Server(t, "temporal", "temporal_visibility")
	conn, err := pgx.Connect(t.Context(), postgres.DatabaseURL("temporal"))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `CREATE TABLE namespaces (half int);
		COMMENT ON DATABASE temporal IS 'holdfast: schema setup unfinished'`)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))

	server := temporaltest.New(t, postgres.URL)
	c := server.Client(t)
	run := startRelay(t, c, runWorker(t, c))
	finish(t, c, run)

	conn, err = pgx.Connect(t.Context(), postgres.DatabaseURL("temporal"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	var comment *string
	require.NoError(t, conn.QueryRow(t.Context(),
		"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'temporal'").Scan(&comment))
	require.Nil(t, comment, "a finished setup is not begun again")
}

func TestATakenAddressIsNamed(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	for _, args := range [][]string{
		{"--listen", server.Addr, "--ui", ""},
		{"--listen", "127.0.0.1:0", "--ui", server.Addr},
	} {
		// An unreachable database: the address is checked before anything is touched.
		output := runTemporal(t, "postgres://nobody@127.0.0.1:1/none", args...)
		require.Contains(t, output, "address "+server.Addr+" for the Temporal")
		require.Contains(t, output, "address already in use")
	}
}

func TestASecondServerOnTheSameStateIsRefused(t *testing.T) {
	t.Parallel()
	temporaltest.Start(t)
	output := runTemporal(t, pgtest.AdminURL(t), "--listen", "127.0.0.1:0", "--ui", "")
	require.Contains(t, output, "another Temporal server runs on it")
}

// runTemporal runs the binary to its end, which must be a failure.
func runTemporal(t *testing.T, url string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	binary, err := temporaltest.Binary(ctx)
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, binary, append([]string{"temporal"}, args...)...)
	cmd.Env = append(cmd.Environ(), "DATABASE_URL="+url)
	output, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.NoError(t, ctx.Err(), "%s", output)
	return string(output)
}

func TestPrunedIndexesComeBackForASchemaUpgrade(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Server(t)
	server := temporaltest.New(t, postgres.URL)
	server.Kill(t)
	conn, err := pgx.Connect(t.Context(), postgres.DatabaseURL("temporal_visibility"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	count := func(table string) (rows int) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows))
		return rows
	}
	pruned := count("holdfast_pruned_indexes")
	require.Greater(t, pruned, 50)
	// The last upgrade may be run again. An index that was pruned is told apart by how its definition is written: what
	// PostgreSQL reports of an index that it made differs from this.
	_, err = conn.Exec(t.Context(), `UPDATE schema_version SET curr_version = '1.13';
		INSERT INTO holdfast_pruned_indexes VALUES ('by_probe', 'CREATE INDEX by_probe ON executions_visibility (run_id)')`)
	require.NoError(t, err)

	server.Restart(t)
	require.Equal(t, pruned+1, count("holdfast_pruned_indexes"))
	var definition string
	require.NoError(t, conn.QueryRow(t.Context(),
		"SELECT definition FROM holdfast_pruned_indexes WHERE name = 'by_probe'").Scan(&definition))
	require.Equal(t, "CREATE INDEX by_probe ON public.executions_visibility USING btree (run_id)", definition)
}
