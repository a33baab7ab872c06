package render

import (
	"crypto/sha256"
	"encoding/binary"
)

// maxID is the shortest limit on tool-call ids among vendors (OpenAI's); Anthropic's alphabet is the narrowest.
const maxID = 40

// mintedID is the length of ids made here: nine letters and digits, which is the one form that Mistral takes and every
// other vendor accepts too.
const mintedID = 9

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// LegalID reports whether a tool-call id may go to every vendor as it is: ^[a-zA-Z0-9_-]{1,40}$.
func LegalID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// IDs hands out tool-call ids that are legal everywhere and unique within one conversation or answer. The zero value is
// ready. Which id a call gets depends on what came before it only.
type IDs struct {
	used map[string]bool
}

// Assign is id itself if it is legal and new; else an id minted from id and from seed, which tells apart the calls that
// come without an id.
func (ids *IDs) Assign(id, seed string) string {
	if ids.used == nil {
		ids.used = make(map[string]bool)
	}
	assigned := id
	for attempt := uint64(0); !LegalID(assigned) || ids.used[assigned]; attempt++ {
		assigned = mint(id, seed, attempt)
	}
	ids.used[assigned] = true
	return assigned
}

func mint(id, seed string, attempt uint64) string {
	digest := sha256.New()
	var number [8]byte
	for _, text := range []string{id, seed} {
		binary.BigEndian.PutUint64(number[:], uint64(len(text)))
		digest.Write(number[:])
		digest.Write([]byte(text))
	}
	binary.BigEndian.PutUint64(number[:], attempt)
	digest.Write(number[:])
	sum := digest.Sum(nil)
	minted := make([]byte, mintedID)
	for i := range minted {
		minted[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(minted)
}
