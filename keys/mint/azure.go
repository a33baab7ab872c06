package mint

import (
	"cmp"
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	azureEndpoint = "https://management.azure.com"
	azureVersion  = "2024-10-01"
)

// The two keys of an account, as the resource manager calls them.
const (
	azureKey1 = "Key1"
	azureKey2 = "Key2"
)

// azure makes keys of one Cognitive Services account anew
// (learn.microsoft.com/rest/api/aiservices/accountmanagement/accounts/regenerate-key). An account has two, always: the one that is
// not in use is replaced, whatever it was, and to take one away is to replace it by one that nobody is told.
type azure struct {
	endpoint string
	resource string
	version  string
	exchange exchange
}

func newAzure(settings Settings, x exchange) azure {
	return azure{
		endpoint: strings.TrimSuffix(cmp.Or(settings.Endpoint, azureEndpoint), "/"),
		resource: settings.Resource, version: cmp.Or(settings.APIVersion, azureVersion), exchange: x,
	}
}

// azureKeys is what both operations answer.
type azureKeys struct {
	Key1 string `json:"key1"`
	Key2 string `json:"key2"`
}

// Mint implements [Minter].
func (a azure) Mint(ctx context.Context, request Request) (Minted, error) {
	token, former, err := a.prepare(ctx, request)
	if err != nil {
		return Minted{}, err
	}
	other := otherKey(former)
	keys, err := a.regenerate(ctx, token, other)
	if err != nil {
		return Minted{}, err
	}
	fresh := keys.Key1
	if other == azureKey2 {
		fresh = keys.Key2
	}
	if fresh == "" || equal(fresh, request.Current) {
		return Minted{}, refuse("azure: regenerateKey: the answer holds no new key")
	}
	return Minted{Key: llm.Secret(fresh), Handle: other, Former: former}, nil
}

// Abandon implements [Minter]. Which of the rotation's calls arrived cannot be told, so the key that is not in use is made anew in
// any case.
func (a azure) Abandon(ctx context.Context, request Request) error {
	token, current, err := a.prepare(ctx, request)
	if err != nil {
		return err
	}
	_, err = a.regenerate(ctx, token, otherKey(current))
	return err
}

// Revoke implements [Minter]. A handle names a place and not what is in it: what is there when it is called goes.
func (a azure) Revoke(ctx context.Context, request Request, handle string) error {
	if err := demand(request, true); err != nil {
		return err
	}
	if handle != azureKey1 && handle != azureKey2 {
		return refuse("azure: the handle is neither Key1 nor Key2: regenerate the key by hand")
	}
	token, err := a.token(ctx, request.Admin)
	if err != nil {
		return err
	}
	_, err = a.regenerate(ctx, token, handle)
	return err
}

// prepare gets a token, and finds out which key is in use.
func (a azure) prepare(ctx context.Context, request Request) (token llm.Secret, current string, err error) {
	if err = demand(request, true); err != nil {
		return "", "", err
	}
	if token, err = a.token(ctx, request.Admin); err != nil {
		return "", "", err
	}
	var keys azureKeys
	if err = a.exchange.ask(ctx, a.call("listKeys", token), nil, &keys); err != nil {
		return "", "", err
	}
	switch {
	case equal(keys.Key1, request.Current):
		return token, azureKey1, nil
	case equal(keys.Key2, request.Current):
		return token, azureKey2, nil
	default:
		return "", "", refuse("azure: the key in use is neither of the resource's two: does `resource` name its owner?")
	}
}

func (a azure) regenerate(ctx context.Context, token llm.Secret, name string) (azureKeys, error) {
	var keys azureKeys
	err := a.exchange.ask(ctx, a.call("regenerateKey", token), map[string]string{"keyName": name}, &keys)
	return keys, err
}

func (a azure) call(action string, token llm.Secret) call {
	return call{
		operation: "azure: " + action, method: http.MethodPost, bearer: token,
		address: a.endpoint + a.resource + "/" + action + "?" + url.Values{"api-version": {a.version}}.Encode(),
	}
}

func otherKey(name string) string {
	if name == azureKey1 {
		return azureKey2
	}
	return azureKey1
}

// equal compares in a time that tells nothing of where two keys differ. Nothing is equal to an empty key.
func equal(key string, secret llm.Secret) bool {
	return key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(secret.Reveal())) == 1
}
