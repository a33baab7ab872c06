package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// maxGoogleKeys is how many keys of its own making a service account may have (cloud.google.com/iam/quotas).
	maxGoogleKeys = 10
	googleRSABits = 2048
)

// gcpAdmin holds keys by their service accounts (projects/…/serviceAccounts/…), and whose key each access token was given for.
type gcpAdmin struct {
	accounts map[string][]*gcpKey
	tokens   map[string]string
	// pair is that of every key: it takes long to make, and keys are told apart by their ids.
	pair *rsa.PrivateKey
}

type gcpKey struct {
	account, id, name string
	after             time.Time
}

// email is that of the key's service account.
func (k *gcpKey) email() string { return k.account[strings.LastIndexByte(k.account, '/')+1:] }

func (a *administration) newGoogleKey(account string, at time.Time) *gcpKey {
	id := a.sim.ids.mint("", hexDigits, 40)
	key := &gcpKey{account: account, id: id, name: account + "/keys/" + id, after: at.UTC().Truncate(time.Second)}
	a.gcp.accounts[account] = append(a.gcp.accounts[account], key)
	return key
}

// googleFile writes a key as the file in which Google gives it.
func (a *administration) googleFile(key *gcpKey, baseURL string) []byte {
	if a.gcp.pair == nil {
		a.gcp.pair, _ = rsa.GenerateKey(rand.Reader, googleRSABits) // fails for odd sizes only
	}
	der, err := x509.MarshalPKCS8PrivateKey(a.gcp.pair)
	if err != nil { // an RSA key can always be written
		return nil
	}
	return encode(map[string]string{
		"type": "service_account", "project_id": strings.Split(key.account, "/")[1], "private_key_id": key.id,
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": key.email(), "client_id": "100000000000000000001", "auth_uri": "https://accounts.google.com/o/oauth2/auth",
		"token_uri": baseURL + "/token", "universe_domain": "googleapis.com",
	})
}

// routeGCP takes /token, and keys below /v1/projects/{project}/serviceAccounts/{account}.
func (a *administration) routeGCP(asked *adminAsked) bool {
	asked.call.API = AdminGCP
	if asked.r.URL.Path == "/token" && asked.r.Method == http.MethodPost {
		asked.call.Operation, asked.run = AdminToken, a.googleToken
		return true
	}
	parts := strings.Split(strings.TrimPrefix(asked.r.URL.Path, "/v1/"), "/")
	if len(parts) < 5 || parts[0] != "projects" || parts[2] != "serviceAccounts" || parts[4] != "keys" {
		return false
	}
	asked.call.Owner = strings.Join(parts[:4], "/")
	switch {
	case len(parts) == 5 && asked.r.Method == http.MethodPost:
		asked.call.Operation, asked.run = AdminCreate, a.googleCreate
	case len(parts) == 5 && asked.r.Method == http.MethodGet:
		asked.call.Operation, asked.run = AdminList, a.googleList
	case len(parts) == 6 && asked.r.Method == http.MethodDelete:
		asked.call.Operation, asked.call.Handle, asked.run = AdminDelete, strings.Join(parts, "/"), a.googleDelete
	default:
		return false
	}
	run := asked.run
	asked.run = func(asked *adminAsked) adminReply {
		if refused := a.googleAuth(asked); refused != nil {
			return *refused
		}
		return run(asked)
	}
	return true
}

func googleError(status int, code, message string) adminReply {
	return jsonReply(status, map[string]any{"error": map[string]any{"code": status, "status": code, "message": message}})
}

// googleAuth lets the administrators in, and a service account to its own keys.
func (a *administration) googleAuth(asked *adminAsked) *adminReply {
	name, ok := a.gcp.tokens[strings.TrimPrefix(asked.r.Header.Get("Authorization"), "Bearer ")]
	key := a.googleKey(name)
	account := asked.call.Owner
	var refused adminReply
	switch {
	case !ok || key == nil:
		refused = googleError(http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
	case key.account != account && !a.mayAll(key.email()):
		refused = googleError(http.StatusForbidden, "PERMISSION_DENIED", "Permission 'iam.serviceAccountKeys' denied on resource.")
	case a.gcp.accounts[account] == nil:
		refused = googleError(http.StatusNotFound, "NOT_FOUND", "Unknown service account")
	default:
		return nil
	}
	return &refused
}

// googleKey finds a key by its name; nil if there is none.
func (a *administration) googleKey(name string) *gcpKey {
	account, _, _ := strings.Cut(name, "/keys/")
	keys := a.gcp.accounts[account]
	if i := slices.IndexFunc(keys, func(key *gcpKey) bool { return key.name == name }); i >= 0 {
		return keys[i]
	}
	return nil
}

func (k *gcpKey) told() map[string]any {
	return map[string]any{
		"name": k.name, "keyType": "USER_MANAGED", "keyOrigin": "GOOGLE_PROVIDED", "keyAlgorithm": "KEY_ALG_RSA_2048",
		"validAfterTime": k.after.Format(time.RFC3339), "validBeforeTime": "9999-12-31T23:59:59Z",
	}
}

func (a *administration) googleCreate(asked *adminAsked) adminReply {
	if _, unknown, ok := strict(asked.body, "privateKeyType", "keyAlgorithm"); !ok {
		return googleError(http.StatusBadRequest, "INVALID_ARGUMENT", `Invalid JSON payload received. Unknown name "`+unknown+`".`)
	}
	if len(a.gcp.accounts[asked.call.Owner]) >= maxGoogleKeys {
		return googleError(http.StatusBadRequest, "FAILED_PRECONDITION", "Precondition check failed.")
	}
	key := a.newGoogleKey(asked.call.Owner, a.sim.now())
	asked.call.Handle = key.name
	told := key.told()
	told["privateKeyType"] = "TYPE_GOOGLE_CREDENTIALS_FILE"
	told["privateKeyData"] = base64.StdEncoding.EncodeToString(a.googleFile(key, "http://"+asked.r.Host))
	return jsonReply(http.StatusOK, told)
}

// googleList lists also a key of Google's own, which every account has.
func (a *administration) googleList(asked *adminAsked) adminReply {
	var keys []any
	wanted := asked.r.URL.Query()["keyTypes"]
	for _, key := range a.gcp.accounts[asked.call.Owner] {
		if len(wanted) == 0 || slices.Contains(wanted, "USER_MANAGED") {
			keys = append(keys, key.told())
		}
	}
	if len(wanted) == 0 || slices.Contains(wanted, "SYSTEM_MANAGED") {
		own := (&gcpKey{name: asked.call.Owner + "/keys/0123456789abcdef", after: a.sim.now()}).told()
		own["keyType"] = "SYSTEM_MANAGED"
		keys = append(keys, own)
	}
	return jsonReply(http.StatusOK, map[string]any{"keys": keys})
}

// googleDelete also ends the access tokens that were given for the key, which live out their hour at Google.
func (a *administration) googleDelete(asked *adminAsked) adminReply {
	key := a.googleKey(asked.call.Handle)
	if key == nil {
		return googleError(http.StatusNotFound, "NOT_FOUND", "Service account key does not exist.")
	}
	a.gcp.accounts[key.account] = slices.DeleteFunc(a.gcp.accounts[key.account], func(one *gcpKey) bool { return one == key })
	for token, name := range a.gcp.tokens {
		if name == key.name {
			delete(a.gcp.tokens, token)
			a.sim.Reject(token)
		}
	}
	return jsonReply(http.StatusOK, map[string]any{})
}
