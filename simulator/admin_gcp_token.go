package simulator

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const googleGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// googleToken gives an access token for a signed assertion (developers.google.com/identity/protocols/oauth2/service-account). What
// serves Vertex AI here accepts it until the key is deleted.
func (a *administration) googleToken(asked *adminAsked) adminReply {
	refuse := func(code, description string) adminReply {
		return jsonReply(http.StatusBadRequest, map[string]any{"error": code, "error_description": description})
	}
	form, err := url.ParseQuery(string(asked.body))
	if err != nil || form.Get("grant_type") != googleGrant {
		return refuse("unsupported_grant_type", "Invalid grant_type: "+form.Get("grant_type"))
	}
	key := a.assertedKey(form.Get("assertion"), "http://"+asked.r.Host+"/token")
	if key == nil {
		return refuse("invalid_grant", "Invalid JWT Signature.")
	}
	token := a.sim.ids.mint("ya29.", base62, 64)
	a.gcp.tokens[token] = key.name
	a.sim.Issue(token)
	return jsonReply(http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3599, "access_token": token})
}

// assertedKey checks an assertion and gives the key that signed it; nil if it is not to be believed.
func (a *administration) assertedKey(assertion, audience string) *gcpKey {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return nil
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		Scope    string `json:"scope"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !decodeJWT(parts[0], &header) || !decodeJWT(parts[1], &claims) || a.gcp.pair == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if header.Algorithm != "RS256" || rsa.VerifyPKCS1v15(&a.gcp.pair.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return nil
	}
	now := a.sim.now().Unix()
	if claims.Audience != audience || claims.Scope == "" || claims.Expires <= now || claims.Issued > now+60 {
		return nil
	}
	for _, keys := range a.gcp.accounts {
		for _, key := range keys {
			if key.id == header.KeyID && key.email() == claims.Issuer {
				return key
			}
		}
	}
	return nil
}

func decodeJWT(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}
