package mint

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// gcpScope is the narrowest that the operations on keys take.
	gcpScope = "https://www.googleapis.com/auth/iam"
	// gcpTokenURI is Google's token endpoint, for files that name none.
	gcpTokenURI = "https://oauth2.googleapis.com/token" //nolint:gosec // an address, no credential
)

// serviceAccount is a file of a service account's key, as far as it is used here.
type serviceAccount struct {
	Type         string `json:"type"`
	ProjectID    string `json:"project_id"`
	ClientEmail  string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id"`
	TokenURI     string `json:"token_uri"`
}

// parseServiceAccount reads a file; false if it is something else.
func parseServiceAccount(secret llm.Secret) (serviceAccount, bool) {
	var file serviceAccount
	if json.Unmarshal([]byte(secret.Reveal()), &file) != nil {
		return serviceAccount{}, false
	}
	file.TokenURI = cmp.Or(file.TokenURI, gcpTokenURI)
	return file, file.Type == "service_account" && file.PrivateKey != "" && validKeyName.MatchString(file.name())
}

// account is the resource name of the service account.
func (f serviceAccount) account() string {
	return "projects/" + f.ProjectID + "/serviceAccounts/" + f.ClientEmail
}

// name is the resource name of the key.
func (f serviceAccount) name() string { return f.account() + "/keys/" + f.PrivateKeyID }

// token gets a token for the admin's service account, or else for the one whose key is in use
// (developers.google.com/identity/protocols/oauth2/service-account). None is kept: rotations are rare.
func (g gcp) token(ctx context.Context, request Request) (llm.Secret, error) {
	const operation = "gcp: get a token"
	signer := request.Admin
	if signer == "" {
		signer = request.Current
	}
	file, ok := parseServiceAccount(signer)
	switch {
	case !ok:
		return "", refuse("gcp: the credential that is to make keys is no file of a service account's key")
	case !trusted(file.TokenURI):
		return "", refuse("gcp: the token_uri of the credential that is to make keys is not Google's")
	}
	config := jwt.Config{
		Email: file.ClientEmail, PrivateKey: []byte(file.PrivateKey), PrivateKeyID: file.PrivateKeyID,
		Scopes: []string{gcpScope}, TokenURL: file.TokenURI,
	}
	ctx, cancel := context.WithTimeout(ctx, g.exchange.timeout)
	defer cancel()
	way := &within{ctx: ctx, next: g.exchange.client.Transport}
	client := &http.Client{Transport: way, CheckRedirect: g.exchange.client.CheckRedirect}
	token, err := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, client)).Token()
	switch {
	case way.broke != nil:
		return "", networkError(ctx, operation, way.broke)
	case err != nil:
		return "", tokenError(ctx, operation, err)
	}
	return llm.Secret(token.AccessToken), nil
}

// within ends requests with a context: those of the grant by assertion have none of their own, and their errors do not wrap what
// happened.
type within struct {
	ctx   context.Context //nolint:containedctx // it is one call's, and ends with it
	next  http.RoundTripper
	broke error
}

// RoundTrip implements [http.RoundTripper].
func (w *within) RoundTrip(request *http.Request) (*http.Response, error) {
	var response *http.Response
	response, w.broke = w.next.RoundTrip(request.WithContext(w.ctx))
	return response, w.broke
}

// trusted reports whether a token may be asked for at an address: a credential that comes from elsewhere must not send its
// assertions there. The loopback interface is for tests.
func trusted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || problemOf(address) != "" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return isLoopback(host) || u.Port() == "" && (strings.HasSuffix(host, ".googleapis.com") || host == "accounts.google.com")
}
