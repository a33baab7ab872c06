package completions

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
)

const idPrefix = "chatcmpl-"

var (
	idPattern = regexp.MustCompile(`^chatcmpl-[0-9a-z]{26}$`)
	keySafe   = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
)

// NewID makes an id for a request without an idempotency key.
func NewID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return idPrefix + encode(raw[:])
}

// IDForKey derives the id of a request with an idempotency key, so that every process names it alike without asking.
func IDForKey(tenant, key string) string {
	sum := sha256.Sum256([]byte(tenant + "\x00" + key))
	return idPrefix + encode(sum[:16])
}

// encode writes Crockford's base 32 in lower case: nothing to confuse when read aloud.
func encode(raw []byte) string {
	return base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding).EncodeToString(raw)
}

// ValidID says whether the text can be a completion's id.
func ValidID(id string) bool { return idPattern.MatchString(id) }

// WorkflowID names the workflow of a completion: completion/<tenant>/<idempotency key or id>, as an operator searches for
// it. A key with unusual characters, or one that could be another completion's id, is replaced by the id.
func WorkflowID(tenant, id, key string) string {
	if !keySafe.MatchString(key) || idPattern.MatchString(key) {
		key = id
	}
	return fmt.Sprintf("completion/%s/%s", tenant, key)
}
