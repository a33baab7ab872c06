package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/holdfast-dev/holdfast/llm"
)

// token is what a process proves by that it may read one completion: it is derived from a secret that all processes on one
// database share, so that nothing secret travels with a completion or stands in Temporal's history.
func token(secret llm.Secret, id string) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte("stream/" + id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// grants compares in constant time.
func grants(secret llm.Secret, id, presented string) bool {
	return hmac.Equal([]byte(token(secret, id)), []byte(presented))
}
