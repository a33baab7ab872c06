package access

import (
	"bytes"
	"crypto/subtle"
	"fmt"

	"github.com/holdfast-dev/holdfast/keys/secretfile"
	"github.com/holdfast-dev/holdfast/llm"
)

// AdminToken is the administrator's token, which opens the admin API. The zero value matches nothing.
type AdminToken struct{ secret llm.Secret }

// LoadAdminToken reads the token in the file at path, or makes a random one there first. A file that is readable by others
// is refused.
func LoadAdminToken(path string) (AdminToken, error) {
	content, err := secretfile.LoadOrCreate(path, func() ([]byte, error) {
		secret, err := newSecret(adminPrefix)
		return []byte(secret.Reveal() + "\n"), err
	})
	if err != nil {
		return AdminToken{}, fmt.Errorf("admin token: %w", err)
	}
	text := string(bytes.TrimSpace(content))
	if !wellFormed(text, adminPrefix) {
		return AdminToken{}, fmt.Errorf("admin token: %s does not hold one; remove the file to have a new one made", path)
	}
	return AdminToken{secret: llm.Secret(text)}, nil
}

// Secret gives the token, for a client of the admin API.
func (t AdminToken) Secret() llm.Secret { return t.secret }

// String keeps the token out of formatted text: fmt does not ask a field that is not exported how it prints.
func (t AdminToken) String() string { return t.secret.String() }

// GoString keeps %#v from revealing the token.
func (t AdminToken) GoString() string { return t.secret.GoString() }

// Matches says whether candidate is the token, in a time that tells nothing of where they differ.
func (t AdminToken) Matches(candidate string) bool {
	if t.secret == "" {
		return false
	}
	want, got := digestOf(t.secret.Reveal()), digestOf(candidate) // equal lengths, whatever the candidate's
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}
