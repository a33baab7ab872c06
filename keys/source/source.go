// Package source reads secrets that are kept elsewhere, where a URL says:
//
//	file:///run/secrets/openai                          a mounted file
//	awssecretsmanager://NAME?region=eu-central-1        AWS Secrets Manager, with the process's own credentials
//	gcpsecretmanager://projects/P/secrets/NAME          Google Secret Manager, with its application default credentials
//	vaultkv://MOUNT/PATH?field=api_key                  HashiCorp Vault's KV engine, version 2, by VAULT_ADDR and VAULT_TOKEN
//
// With ?field=NAME, what is read is JSON, and the secret is that member of it. Nothing is kept here.
package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	vault "github.com/hashicorp/vault/api"
	"gocloud.dev/runtimevar"
	_ "gocloud.dev/runtimevar/awssecretsmanager" // the scheme awssecretsmanager
	_ "gocloud.dev/runtimevar/gcpsecretmanager"  // the scheme gcpsecretmanager

	"github.com/holdfast-dev/holdfast/llm"
)

// maxBytes bounds what is read.
const maxBytes = 64 << 10

// Schemes lists those that are known.
func Schemes() []string { return []string{"awssecretsmanager", "file", "gcpsecretmanager", "vaultkv"} }

// Check says what is wrong with a URL, without asking anybody.
func Check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("where it is kept is no URL") // url.Error repeats the text
	case !slices.Contains(Schemes(), u.Scheme):
		return fmt.Errorf("where it is kept must be a URL of one of the schemes %s", strings.Join(Schemes(), ", "))
	case u.User != nil:
		return errors.New("the URL of where it is kept must not hold a user name or password")
	case u.Scheme == "file" && (u.Host != "" || !path.IsAbs(u.Path)):
		return errors.New("a file's URL must be an absolute path, such as file:///run/secrets/openai")
	case u.Scheme != "file" && u.Host == "":
		return fmt.Errorf("the URL must name the secret: %s://NAME", u.Scheme)
	case u.Scheme == "vaultkv" && (strings.Trim(u.Path, "/") == "" || u.Query().Get("field") == ""):
		return errors.New("a URL of Vault's is vaultkv://MOUNT/PATH?field=NAME")
	}
	return nil
}

// Read reads the secret that the URL names. Its errors say nothing of what was read.
func Read(ctx context.Context, address string) (llm.Secret, error) {
	if err := Check(address); err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("where it is kept is no URL")
	}
	query := u.Query()
	field := query.Get("field")
	query.Del("field")
	u.RawQuery = query.Encode()
	var text []byte
	switch u.Scheme {
	case "file":
		text, err = readFile(u.Path)
	case "vaultkv":
		return readVault(ctx, u.Host, strings.Trim(u.Path, "/"), field)
	default:
		text, err = readVariable(ctx, u)
	}
	if err != nil {
		return "", err
	}
	if field == "" {
		return llm.Secret(text), nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return "", errors.New("what is kept there is not a JSON object")
	}
	var value string
	if json.Unmarshal(members[field], &value) != nil {
		return "", fmt.Errorf("what is kept there has no text %q", field)
	}
	return llm.Secret(value), nil
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read the secret's file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%s is no file of at most %d KiB", name, maxBytes>>10)
	}
	text, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("read the secret's file: %w", err)
	}
	return text, nil
}

// readVariable asks once. What the library would do beyond that, watching for changes, is done by whoever asks again.
func readVariable(ctx context.Context, u *url.URL) ([]byte, error) {
	query := u.Query()
	query.Set("decoder", "bytes")
	at := *u
	at.RawQuery = query.Encode()
	variable, err := runtimevar.OpenVariable(ctx, at.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", u.Scheme, err)
	}
	defer func() { _ = variable.Close() }() // nothing is lost with it
	// Unlike Latest, it gives an error at once.
	snapshot, err := variable.Watch(ctx)
	if err != nil {
		return nil, fmt.Errorf("read from %s: %w", u.Scheme, err)
	}
	text, ok := snapshot.Value.([]byte)
	if !ok {
		return nil, fmt.Errorf("read from %s: not a text", u.Scheme)
	}
	return text, nil
}

// readVault reads one member of a secret. The client reads its address and token from VAULT_ADDR and VAULT_TOKEN, as Vault's own
// program does.
func readVault(ctx context.Context, mount, name, field string) (llm.Secret, error) {
	config := vault.DefaultConfig()
	if config.Error != nil {
		return "", fmt.Errorf("read from vault: %w", config.Error)
	}
	client, err := vault.NewClient(config)
	if err != nil {
		return "", fmt.Errorf("read from vault: %w", err)
	}
	secret, err := client.KVv2(mount).Get(ctx, name)
	if err != nil {
		return "", fmt.Errorf("read from vault: %w", sayable(err))
	}
	value, ok := secret.Data[field].(string)
	if !ok {
		return "", fmt.Errorf("the secret in vault has no text %q", field)
	}
	return llm.Secret(value), nil
}

// sayable is what may be said of an error of Vault's client: it quotes what it was answered, and that may be the secret.
func sayable(err error) error {
	var answered *vault.ResponseError
	var unreachable *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.Is(err, vault.ErrSecretNotFound):
		return errors.New("there is no such secret")
	case errors.As(err, &answered):
		return fmt.Errorf("it answered HTTP %d", answered.StatusCode)
	case errors.As(err, &unreachable):
		return unreachable
	default:
		return errors.New("what it answered is no secret of its KV engine, version 2")
	}
}
