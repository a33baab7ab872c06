package source_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/keys/source"
)

// No error may say anything of what holds this.
const canary = "sk-CANARY-5tGbNhY6"

const (
	bytesAtMost = 64 << 10
	token       = "hvs.CANARY7uJmKi8"
)

func TestWhatIsNoPlaceOfASecretIsRefusedWithoutBeingQuoted(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                                       "one of the schemes awssecretsmanager, file, gcpsecretmanager, vaultkv",
		canary:                                   "one of the schemes",
		"/run/secrets/" + canary:                 "one of the schemes",
		"https://example.com/" + canary:          "one of the schemes",
		"constant://?val=" + canary:              "one of the schemes",
		"vaultkv://%zz" + canary:                 "no URL",
		"sk CANARY://x\x7f":                      "no URL",
		"file://u:" + canary + "@/x":             "must not hold a user name or password",
		"vaultkv://u:" + canary + "@m/p?field=f": "must not hold a user name or password",
		"file:" + canary:                         "an absolute path",
		"file://" + canary:                       "an absolute path",
		"file://" + canary + "/x":                "an absolute path",
		"awssecretsmanager://":                   "must name the secret: awssecretsmanager://NAME",
		"awssecretsmanager:///" + canary:         "must name the secret",
		"gcpsecretmanager:" + canary:             "must name the secret: gcpsecretmanager://NAME",
		"vaultkv://":                             "must name the secret",
		"vaultkv://" + canary:                    "vaultkv://MOUNT/PATH?field=NAME",
		"vaultkv://secret/?field=f":              "vaultkv://MOUNT/PATH?field=NAME",
		"vaultkv://secret/" + canary:             "vaultkv://MOUNT/PATH?field=NAME",
		"vaultkv://secret/p?feld=" + canary:      "vaultkv://MOUNT/PATH?field=NAME",
	} {
		err := source.Check(address)
		require.ErrorContains(t, err, want, "%q", address)
		require.NotContains(t, err.Error(), "CANARY")
		_, err = source.Read(t.Context(), address)
		require.ErrorContains(t, err, want, "%q", address)
		require.NotContains(t, err.Error(), "CANARY")
	}
	for _, address := range []string{
		"file:///run/secrets/openai", "file:///run/secrets/all?field=openai", "awssecretsmanager://prod/openai?region=eu-central-1&field=api_key",
		"gcpsecretmanager://projects/p/secrets/openai", "vaultkv://secret/prod/openai?field=api_key",
	} {
		require.NoError(t, source.Check(address), address)
	}
}

func TestAFileIsReadAsItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return "file://" + path
	}
	all := write("all", `{"api_key":"`+canary+`","number":7,"nothing":null}`)
	link := filepath.Join(dir, "link") // as Kubernetes mounts secrets
	require.NoError(t, os.Symlink(filepath.Join(dir, "plain"), link))
	for address, want := range map[string]string{
		write("plain", canary+"\n"):                        canary + "\n",
		"file://" + link:                                   canary + "\n",
		write("largest", strings.Repeat("x", bytesAtMost)): strings.Repeat("x", bytesAtMost),
		write("with space", canary):                        canary,
		all + "?field=api_key":                             canary,
		all:                                                `{"api_key":"` + canary + `","number":7,"nothing":null}`,
	} {
		got, err := source.Read(t.Context(), address)
		require.NoError(t, err, address)
		require.Equal(t, want, got.Reveal(), address)
	}
	for address, want := range map[string]string{
		write("larger", canary+strings.Repeat("x", bytesAtMost)): "no file of at most 64 KiB",
		"file://" + dir:                                        "no file of at most 64 KiB",
		"file:///dev/zero":                                     "no file of at most 64 KiB",
		"file://" + dir + "/missing":                           "no such file",
		all + "?field=other":                                   `has no text "other"`,
		all + "?field=number":                                  `has no text "number"`,
		write("text", canary) + "?field=api_key":               "not a JSON object",
		write("list", `["`+canary+`"]`) + "?field=api_key":     "not a JSON object",
		write("cut", `{"api_key":"`+canary) + "?field=api_key": "not a JSON object",
	} {
		_, err := source.Read(t.Context(), address)
		require.ErrorContains(t, err, want, address)
		require.NotContains(t, err.Error(), "CANARY")
	}
}

// The client reads VAULT_ADDR and VAULT_TOKEN, which are the whole process's.
func TestVaultsSecretIsReadAndNeverQuoted(t *testing.T) {
	answers := map[string]struct {
		status int
		body   string
	}{
		"good":      {200, `{"data":{"data":{"api_key":"` + canary + `","number":7},"metadata":{"version":3,"created_time":"2026-01-02T03:04:05Z","deletion_time":"","destroyed":false}}}`},
		"deleted":   {404, `{"data":{"data":null,"metadata":{"version":3,"created_time":"2026-01-02T03:04:05Z","deletion_time":"2026-01-02T03:04:05Z","destroyed":false}}}`},
		"missing":   {404, `{"errors":[]}`},
		"forbidden": {403, `{"errors":["permission denied for ` + token + `"]}`},
		"sealed":    {400, `{"errors":["` + canary + ` is sealed"]}`},
		"raw":       {400, canary},
		"version 1": {200, `{"data":{"api_key":"` + canary + `"}}`},
		"confused":  {200, `{"data":{"data":"` + canary + `"}}`},
		"half":      {200, `{"data":{"data":{"api_key":"` + canary + `"},"metadata":"` + canary + `"}}`},
		"cut":       {200, `{"data":{"data":{"api_key":"` + canary},
		"page":      {200, "<html>" + canary + "</html>"},
		"nothing":   {200, ""},
		"null":      {200, "null"},
		"proxied":   {404, ""},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, known := strings.CutPrefix(r.URL.Path, "/v1/secret/data/prod/")
		if !known || r.Header.Get("X-Vault-Token") != token {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		if name == "moved" {
			http.Redirect(w, r, "/v1/secret/data/prod/good", http.StatusTemporaryRedirect)
			return
		}
		w.WriteHeader(answers[name].status)
		_, _ = w.Write([]byte(answers[name].body))
	}))
	t.Cleanup(server.Close)
	t.Setenv("VAULT_ADDR", server.URL)
	t.Setenv("VAULT_TOKEN", token)
	t.Setenv("VAULT_MAX_RETRIES", "0")
	for _, name := range []string{"good", "moved"} {
		got, err := source.Read(t.Context(), "vaultkv://secret/prod/"+name+"?field=api_key")
		require.NoError(t, err)
		require.Equal(t, canary, got.Reveal())
	}
	for address, want := range map[string]string{
		"good?field=other":          `has no text "other"`,
		"good?field=number":         `has no text "number"`,
		"deleted?field=api_key":     `has no text "api_key"`,
		"missing?field=api_key":     "there is no such secret",
		"forbidden?field=api_key":   "HTTP 403",
		"sealed?field=api_key":      "HTTP 400",
		"raw?field=api_key":         "HTTP 400",
		"version%201?field=api_key": "no secret of its KV engine, version 2",
		"confused?field=api_key":    "no secret of its KV engine, version 2",
		"half?field=api_key":        "no secret of its KV engine, version 2",
		"cut?field=api_key":         "no secret of its KV engine, version 2",
		"page?field=api_key":        "no secret of its KV engine, version 2",
		"nothing?field=api_key":     "there is no such secret",
		"null?field=api_key":        `has no text "api_key"`,
		"proxied?field=api_key":     "there is no such secret",
	} {
		_, err := source.Read(t.Context(), "vaultkv://secret/prod/"+address)
		require.ErrorContains(t, err, want, address)
		require.NotContains(t, err.Error(), "CANARY", address)
	}
	server.Close()
	_, err := source.Read(t.Context(), "vaultkv://secret/prod/good?field=api_key")
	require.ErrorContains(t, err, "connection refused")
	require.NotContains(t, err.Error(), "CANARY")
}

func TestSecretsManagersSecretIsReadAndNeverQuoted(t *testing.T) {
	t.Parallel()
	answer := func(value any) string {
		text, err := json.Marshal(map[string]any{"Name": "x", "VersionId": "v-1", "SecretString": value})
		require.NoError(t, err)
		return string(text)
	}
	answers := map[string]struct {
		status int
		body   string
	}{
		"prod/plain":  {200, answer(canary)},
		"prod/all":    {200, answer(`{"api_key":"` + canary + `"}`)},
		"prod/binary": {200, `{"Name":"x","VersionId":"v-1","SecretBinary":"` + "c2stQ0FOQVJZLTV0R2JOaFk2" + `"}`},
		"prod/both":   {200, `{"VersionId":"v-1","SecretBinary":"c2stQ0FOQVJZLTV0R2JOaFk2","SecretString":"` + canary + `"}`},
		"prod/empty":  {200, answer("")},
		"prod/list":   {200, answer([]string{canary})},
		"prod/cut":    {200, `{"VersionId":"v-1","SecretString":"` + canary},
		"prod/denied": {400, `{"__type":"AccessDeniedException","message":"not you"}`},
		"prod/none":   {400, `{"__type":"ResourceNotFoundException","message":"Secrets Manager can't find the specified secret."}`},
		"prod/page":   {400, "<html>" + canary + "</html>"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ SecretId string } //nolint:revive // AWS spells it so
		if json.NewDecoder(r.Body).Decode(&asked) != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch r.Header.Get("X-Amz-Target") {
		case "secretsmanager.GetSecretValue":
			w.WriteHeader(answers[asked.SecretId].status)
			_, _ = w.Write([]byte(answers[asked.SecretId].body))
		case "secretsmanager.DescribeSecret":
			_, _ = w.Write([]byte(`{"Name":"x","LastChangedDate":1767322800}`))
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(server.Close)
	at := func(name, more string) string {
		return "awssecretsmanager://" + name + "?region=eu-central-1&anonymous=true&endpoint=" + server.URL + more
	}
	for _, address := range []string{at("prod/plain", ""), at("prod/binary", ""), at("prod/all", "&field=api_key")} {
		got, err := source.Read(t.Context(), address)
		require.NoError(t, err, address)
		require.Equal(t, canary, got.Reveal())
	}
	for address, want := range map[string]string{
		at("prod/all", "&field=other"):     `has no text "other"`,
		at("prod/plain", "&field=api_key"): "not a JSON object",
		at("prod/both", ""):                "read from awssecretsmanager",
		at("prod/empty", ""):               "read from awssecretsmanager",
		at("prod/list", ""):                "read from awssecretsmanager",
		at("prod/cut", ""):                 "read from awssecretsmanager",
		at("prod/denied", ""):              "AccessDenied",
		at("prod/none", ""):                "ResourceNotFound",
		at("prod/page", ""):                "read from awssecretsmanager",
		at("prod/plain", "&colour=red"):    "open awssecretsmanager",
	} {
		_, err := source.Read(t.Context(), address)
		require.ErrorContains(t, err, want, address)
		require.NotContains(t, err.Error(), "CANARY", address)
	}
}
