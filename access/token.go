package access

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"

	"github.com/holdfast-dev/holdfast/llm"
)

// Prefixes tell what a secret is, to people and to scanners of leaked secrets.
const (
	tokenPrefix = "hf_"
	adminPrefix = "hfadm_"
)

const (
	secretBytes  = 32
	secretDigits = 43 // base 62 digits that 32 bytes need
	sumDigits    = 6  // base 62 digits that 32 bits need
)

// newSecret makes 32 random bytes in base 62, after the prefix and before a checksum of both: a mistyped or truncated token,
// or another product's, is told from ours without asking the database.
func newSecret(prefix string) (llm.Secret, error) {
	random := make([]byte, secretBytes)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("generate token: %w", err)
	}
	body := prefix + base62(new(big.Int).SetBytes(random), secretDigits)
	return llm.Secret(body + checksum(body)), nil
}

// wellFormed says whether text could have come from newSecret. The checksum is no secret.
func wellFormed(text, prefix string) bool {
	if len(text) != len(prefix)+secretDigits+sumDigits || !strings.HasPrefix(text, prefix) {
		return false
	}
	body := text[:len(text)-sumDigits]
	return checksum(body) == text[len(body):]
}

func checksum(body string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), sumDigits)
}

func base62(number *big.Int, digits int) string {
	text := number.Text(62)
	return strings.Repeat("0", max(0, digits-len(text))) + text
}

// digest is what is kept of a token. A plain hash is enough for 256 random bits.
type digest [sha256.Size]byte

func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }
