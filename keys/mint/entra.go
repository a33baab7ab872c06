package mint

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/holdfast-dev/holdfast/llm"
)

// entraAuthority is Microsoft Entra of the public cloud.
const entraAuthority = "https://login.microsoftonline.com"

// principal is a service principal as the vault holds it: the form that calls to Azure take.
type principal struct {
	TenantID     string `json:"tenant_id"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Authority    string `json:"authority"`
	// Scope is that of the resource manager, where the endpoint does not say it.
	Scope string `json:"scope"`
}

// token gets a token for the resource manager
// (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow). None is kept: rotations are rare.
func (a azure) token(ctx context.Context, admin llm.Secret) (llm.Secret, error) {
	const operation = "azure: get a token"
	var p principal
	if json.Unmarshal([]byte(admin.Reveal()), &p) != nil || p.TenantID == "" || p.ClientID == "" || p.ClientSecret == "" {
		return "", refuse("azure: the admin credential is no JSON with tenant_id, client_id and client_secret")
	}
	authority := strings.TrimSuffix(cmp.Or(p.Authority, entraAuthority), "/")
	if problemOf(authority) != "" {
		return "", refuse("azure: the admin credential's authority is no https address")
	}
	config := clientcredentials.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, AuthStyle: oauth2.AuthStyleInParams,
		Scopes:   []string{cmp.Or(p.Scope, a.endpoint+"/.default")},
		TokenURL: authority + "/" + url.PathEscape(p.TenantID) + "/oauth2/v2.0/token",
	}
	ctx, cancel := context.WithTimeout(ctx, a.exchange.timeout)
	defer cancel()
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, a.exchange.client))
	if err != nil {
		return "", tokenError(ctx, operation, err)
	}
	return llm.Secret(token.AccessToken), nil
}

// tokenError says why there is no token. What the endpoint said may quote the request, and is left out.
func tokenError(ctx context.Context, operation string, err error) error {
	answered, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case !ok:
		return networkError(ctx, operation, err)
	case answered.Response == nil || answered.Response.StatusCode < 300:
		return fmt.Errorf("%s: the answer holds none", operation)
	default:
		return &statusError{operation, answered.Response.StatusCode}
	}
}
