package mint

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

const gcpEndpoint = "https://iam.googleapis.com"

// gcpNever is the year in which keys end that do not (cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys).
const gcpNever = 9999

// validKeyName is the name of a service account's key: projects/…/serviceAccounts/…/keys/….
var validKeyName = regexp.MustCompile(`^(projects/[a-z0-9.:-]+/serviceAccounts/[A-Za-z0-9@._-]+)/keys/[A-Za-z0-9]+$`)

// gcp makes keys of the service account whose key is in use
// (cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys).
//
// Keys bear no label. A key of the account's own making that is not the one in use and is valid since the rotation had begun is
// taken for what a lost answer left behind.
type gcp struct {
	endpoint string
	exchange exchange
}

func newGCP(settings Settings, x exchange) gcp {
	return gcp{strings.TrimSuffix(cmp.Or(settings.Endpoint, gcpEndpoint), "/") + "/v1/", x}
}

// gcpKey is a key as it is listed and made.
type gcpKey struct {
	Name        string    `json:"name"`
	KeyType     string    `json:"keyType"`
	ValidAfter  time.Time `json:"validAfterTime"`
	ValidBefore time.Time `json:"validBeforeTime"`
	PrivateKey  string    `json:"privateKeyData"` // base64 of the file
}

// Mint implements [Minter].
func (g gcp) Mint(ctx context.Context, request Request) (Minted, error) {
	token, current, err := g.prepare(ctx, request)
	if err != nil {
		return Minted{}, err
	}
	if err = g.sweep(ctx, token, request, current); err != nil {
		return Minted{}, err
	}
	var made gcpKey
	err = g.exchange.ask(ctx, call{
		operation: "gcp: create a key", method: http.MethodPost, address: g.endpoint + current.account() + "/keys", bearer: token,
	}, map[string]string{}, &made)
	if answered, ok := errors.AsType[*statusError](err); ok && answered.status == http.StatusBadRequest { // and says no more than that
		return Minted{}, refuse("%v: has the account as many keys as it may, which is ten? delete those that are not in use", err)
	}
	if err != nil {
		return Minted{}, err
	}
	text, err := base64.StdEncoding.DecodeString(made.PrivateKey)
	key := llm.Secret(text)
	if file, ok := parseServiceAccount(key); err != nil || !ok || file.name() != made.Name {
		return Minted{}, errors.New("gcp: create a key: the answer holds no key of the account")
	}
	minted := Minted{Key: key, Handle: made.Name, Former: current.name()}
	if !made.ValidBefore.IsZero() && made.ValidBefore.Year() < gcpNever {
		minted.ExpiresAt = made.ValidBefore
	}
	return minted, nil
}

// Abandon implements [Minter].
func (g gcp) Abandon(ctx context.Context, request Request) error {
	token, current, err := g.prepare(ctx, request)
	if err != nil {
		return err
	}
	return g.sweep(ctx, token, request, current)
}

// prepare gets a token, and reads the key in use.
func (g gcp) prepare(ctx context.Context, request Request) (llm.Secret, serviceAccount, error) {
	if err := demand(request, false); err != nil {
		return "", serviceAccount{}, err
	}
	current, ok := parseServiceAccount(request.Current)
	if !ok {
		return "", serviceAccount{}, refuse("gcp: the key in use is no file of a service account's key, so it has no successor of its kind")
	}
	token, err := g.token(ctx, request)
	return token, current, err
}

// sweep deletes what an earlier try of the rotation has made.
func (g gcp) sweep(ctx context.Context, token llm.Secret, request Request, current serviceAccount) error {
	keys, err := g.list(ctx, token, current.account())
	if err != nil {
		return err
	}
	if _, ok := keys[current.name()]; !ok {
		return refuse("gcp: the key in use is none of its service account's any more")
	}
	for name, key := range keys {
		if name == current.name() || !madeSince(request, key.ValidAfter) || slices.Contains(request.Keep, name) {
			continue
		}
		if err := g.remove(ctx, token, name); err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}

// Revoke implements [Minter].
func (g gcp) Revoke(ctx context.Context, request Request, handle string) error {
	if err := demand(request, false); err != nil {
		return err
	}
	parts := validKeyName.FindStringSubmatch(handle)
	if parts == nil {
		return refuse("gcp: the handle is no name of a service account's key: delete the key by hand")
	}
	token, err := g.token(ctx, request)
	if err != nil {
		return err
	}
	gone := g.remove(ctx, token, handle)
	if !isGone(gone) {
		return gone
	}
	// An account that does not exist is answered like a key that does not.
	keys, err := g.list(ctx, token, parts[1])
	if _, ok := keys[handle]; ok {
		return fmt.Errorf("%w: it is listed still", gone)
	}
	return err
}

func (g gcp) remove(ctx context.Context, token llm.Secret, name string) error {
	_, err := g.exchange.do(ctx, call{operation: "gcp: delete a key", method: http.MethodDelete, address: g.endpoint + name, bearer: token})
	return err
}

// list gives an account's keys that are not Google's own, by their names.
func (g gcp) list(ctx context.Context, token llm.Secret, account string) (map[string]gcpKey, error) {
	var answer struct {
		Keys []gcpKey `json:"keys"`
	}
	err := g.exchange.ask(ctx, call{
		operation: "gcp: list keys", method: http.MethodGet, bearer: token,
		address: g.endpoint + account + "/keys?" + url.Values{"keyTypes": {"USER_MANAGED"}}.Encode(),
	}, nil, &answer)
	if err != nil {
		return nil, err
	}
	keys := map[string]gcpKey{}
	for _, key := range answer.Keys {
		if key.KeyType == "USER_MANAGED" {
			keys[key.Name] = key
		}
	}
	return keys, nil
}
