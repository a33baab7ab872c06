package e2e_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/holdfast-dev/holdfast/simulator"
)

func TestNoSecretInHistory(t *testing.T) {
	t.Parallel()
	long(t)
	holdfast, providers := standing.use(t)
	const (
		prompt = "prompt4QmZr7WvKxT2yBn"
		answer = "answer8HsJc5VgLwD3fEp"
		key    = "sk-e2e-9fK2vXqLw83NdRtYbPzJ"
	)
	command(t, key, nil, "keys", "add", "openai", "--name", "secret", "--data", holdfast.dir)
	require.Eventually(t, func() bool { // the vault tells the worker by notification
		got := holdfast.mustSend(t, ask{route: "secret", prompt: "a first question"})
		return holdfast.record(t, got.id()).Attempts[0].KeyName == "secret"
	}, soon, tick)
	calls := providers.Completions(simulator.OpenAI)
	require.Equal(t, simulator.Fingerprint(key), calls[len(calls)-1].Key, "the key was not used")

	// A provider may repeat in its error whatever it was sent.
	providers.SetFault(simulator.OpenAI, simulator.Fault{
		Match: simulator.Match{Model: "gpt-secret"}, Status: http.StatusServiceUnavailable,
		Message: "cannot answer " + prompt + " with the key " + key,
	})
	question := prompt + ", answer with " + answer
	var found []record
	for _, conversation := range []string{"", holdfast.newConversation(t)} {
		got := holdfast.mustSend(t, ask{route: "secret", prompt: question, conversation: conversation})
		require.Equal(t, answer, got.text(t))
		found = append(found, holdfast.record(t, got.id()))
	}

	secrets := map[string]string{"the prompt": prompt, "the answer": answer, "the key": key}
	c := holdfast.temporal(t)
	var histories strings.Builder
	for _, completion := range found {
		require.Len(t, completion.Attempts, 2)
		for _, event := range historyOf(t, c, completion.WorkflowID) {
			histories.WriteString(protojson.Format(event))
		}
	}
	require.Contains(t, histories.String(), "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED", "this is no history")
	require.Positive(t, place(histories.String(), found[0].ID), "a secret would not be found in this history")
	requireNone(t, secrets, "a history", histories.String())
	temporal := dump(t, holdfast.database(t, "temporal")) + dump(t, holdfast.database(t, "temporal_visibility"))
	require.Positive(t, place(temporal, found[0].WorkflowID), "a secret would not be found in this dump")
	requireNone(t, secrets, "Temporal's database", temporal)

	serverLog, err := os.ReadFile(filepath.Join(holdfast.dir, "postgres", "server.log"))
	require.NoError(t, err)
	log := holdfast.stdout.String() + holdfast.stderr.String()
	require.Contains(t, log, found[0].ID, "the failure is not in the log")
	requireNone(t, secrets, "a log", log+string(serverLog))

	own := dump(t, holdfast.database(t, "holdfast"))
	require.Contains(t, own, found[0].ID)
	requireNone(t, map[string]string{"the key": key}, "Holdfast's database", own)
}

// requireNone requires that no secret is in the text.
func requireNone(t *testing.T, secrets map[string]string, where, text string) {
	t.Helper()
	for what, secret := range secrets {
		if at := place(text, secret); at >= 0 {
			t.Errorf("%s is in %s: …%s…", what, where, text[max(0, at-300):min(len(text), at+100)])
		}
	}
}

// place is where the text holds the secret, in any of the forms that one is written in; -1 if nowhere.
func place(text, secret string) int {
	for _, form := range forms(secret) {
		if at := strings.Index(text, form); at >= 0 {
			return at
		}
	}
	return -1
}

// forms are the secret as it is, as bytes stand in a dump, as JSON carries payloads, and as it stands in a URL or within JSON, once or
// twice.
func forms(secret string) []string {
	digits := hex.EncodeToString([]byte(secret))
	all := append(base64Forms(secret), secret, digits, strings.ToUpper(digits), url.QueryEscape(secret), url.PathEscape(secret))
	for _, form := range base64Forms(secret) {
		all = append(all, strings.NewReplacer("+", "-", "/", "_").Replace(form))
	}
	once, _ := json.Marshal(secret) // a text can be written
	quoted := strconv.Quote(secret)
	for _, form := range []string{string(once), quoted} {
		inner := form[1 : len(form)-1]
		again, _ := json.Marshal(inner)
		plainly := strconv.Quote(inner)
		all = append(all, inner, string(again[1:len(again)-1]), plainly[1:len(plainly)-1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// dump is every row of every table as text.
func dump(t testing.TB, db *pgx.Conn) string {
	t.Helper()
	ctx := within(t, late)
	rows, err := db.Query(ctx, `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
		WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	var text strings.Builder
	for _, table := range tables {
		rows, err := db.Query(ctx, `SELECT t::text FROM `+table+` t`)
		require.NoError(t, err)
		content, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		text.WriteString(strings.Join(content, "\n"))
	}
	return text.String()
}

// base64Forms are what a text becomes within base64, at each of its three alignments, without what depends on its
// neighbours.
func base64Forms(secret string) []string {
	var forms []string
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		forms = append(forms, strings.TrimRight(encoded, "=")[4:len(encoded)-4])
	}
	return forms
}
