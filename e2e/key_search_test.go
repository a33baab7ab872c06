package e2e_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	workflowservicepb "go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"
)

// histories are those of all workflows.
func (l *leaky) histories(t *testing.T) {
	t.Helper()
	c := l.temporal(t)
	var token []byte
	for more := true; more; more = len(token) > 0 {
		page, err := c.ListWorkflow(within(t, late), &workflowservicepb.ListWorkflowExecutionsRequest{NextPageToken: token})
		require.NoError(t, err)
		token = page.NextPageToken
		for _, found := range page.Executions {
			history := c.GetWorkflowHistory(within(t, late), found.Execution.WorkflowId, found.Execution.RunId, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			kind, _, _ := strings.Cut(found.Execution.WorkflowId, "/")
			var text strings.Builder
			for history.HasNext() {
				event, err := history.Next()
				require.NoError(t, err)
				text.WriteString(protojson.Format(event))
			}
			l.add("histories of "+strings.TrimRight(kind, "-0123456789:TZ"), found.Execution.WorkflowId+" "+text.String())
			l.describes(t, c, found.Execution.WorkflowId, found.Execution.RunId)
		}
	}
}

// describes reads what the Web UI shows beside the history, of workflows that tell their story there.
func (l *leaky) describes(t *testing.T, c sdkclient.Client, id, run string) {
	t.Helper()
	described, err := c.DescribeWorkflowExecution(within(t, late), id, run)
	require.NoError(t, err)
	l.add("descriptions", protojson.Format(described))
	if !strings.HasPrefix(id, "key-rotation/") {
		return
	}
	answer, err := c.QueryWorkflow(within(t, late), id, run, "__temporal_workflow_metadata")
	require.NoError(t, err)
	var story sdkpb.WorkflowMetadata
	require.NoError(t, answer.Get(&story))
	l.add("descriptions", protojson.Format(&story))
}

// files are all of the data directory but those that are there to hold a secret.
func (l *leaky) files(t *testing.T) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(l.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // PostgreSQL removes files at any time
		}
		name, _ := filepath.Rel(l.dir, path)
		where := "PostgreSQL's files"
		switch {
		case slices.Contains([]string{"token", "admin-token", "postgres.password", "vault.key"}, name):
			return nil
		case name == filepath.Join("postgres", "server.log"):
			where = "PostgreSQL's log"
		case !strings.HasPrefix(name, "postgres"+string(filepath.Separator)):
			where = "other files"
		}
		content, err := os.ReadFile(path)
		if err == nil {
			l.add(where, name+" "+string(content))
		}
		return nil
	}))
}

// wouldBeFound proves the search: what is no secret is found in each place, and a secret is in each form.
func (l *leaky) wouldBeFound(t *testing.T, secrets map[string]string, id string) {
	t.Helper()
	for where, marker := range map[string]string{
		"the log": "provider key changed", "the database holdfast": id, "the database temporal": id, "the database temporal_visibility": "key-rotation/openai/main", "answers": id, "records": id,
		"what commands say": "at step undo", "metrics": `holdfast_key_info{name="main",provider="anthropic",state="active"} 1`, "PostgreSQL's files": id,
		"PostgreSQL's log": "database system is ready", "other files": "admin_api", "histories of completion": id, "histories of key-rotation": "openai",
		"histories of key-upkeep": "KeyUpkeep", "histories of alert": "hidden", "descriptions": "it was cancelled", "processes": "gemini",
	} {
		if where == "processes" && runtime.GOOS != "linux" {
			continue
		}
		if place(l.texts[where], marker) < 0 {
			t.Errorf("a secret would not be found in %s", where)
		}
	}
	for what, secret := range secrets {
		require.Greater(t, len(secret), 15, what)
		encoded, err := json.Marshal(map[string]string{"key": secret})
		require.NoError(t, err)
		twice, err := json.Marshal(string(encoded))
		require.NoError(t, err)
		for _, text := range []string{
			"key: " + secret + ".", hex.EncodeToString([]byte("key: " + secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))), "?key=" + url.QueryEscape(secret), "/" + url.PathEscape(secret) + "/",
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte("k" + secret + "y")), base64.RawStdEncoding.EncodeToString([]byte("ke" + secret)),
			string(encoded), string(twice), fmt.Sprintf("%q", secret), fmt.Sprintf("%+q", "Bearer "+secret),
		} {
			require.GreaterOrEqual(t, place(text, secret), 0, "%s would not be found in %s", what, text)
		}
	}
}
