package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/holdfast-dev/holdfast/llm"
)

// sealFormat is the first byte of what is sealed: AES-256-GCM, a 12-byte nonce, then ciphertext and tag.
const sealFormat = 1

// envelope is a key as the table holds it.
type envelope struct {
	sealed      []byte
	wrappedKey  []byte
	keeper      string
	fingerprint string
}

// seal encrypts key under a fresh data key and has the keeper wrap that.
func (k keeper) seal(ctx context.Context, provider, name string, key llm.Secret) (envelope, error) {
	dataKey := make([]byte, 32)
	if _, err := rand.Read(dataKey); err != nil {
		return envelope{}, fmt.Errorf("generate data key: %w", err)
	}
	aead, err := newAEAD(dataKey)
	if err != nil {
		return envelope{}, err
	}
	header := make([]byte, 1+aead.NonceSize())
	header[0] = sealFormat
	if _, err := rand.Read(header[1:]); err != nil {
		return envelope{}, fmt.Errorf("generate nonce: %w", err)
	}
	wrapped, err := k.Encrypt(ctx, dataKey)
	if err != nil {
		return envelope{}, fmt.Errorf("wrap data key: %w", err)
	}
	return envelope{
		sealed:      aead.Seal(header, header[1:], []byte(key.Reveal()), binding(provider, name)),
		wrappedKey:  wrapped,
		keeper:      k.id,
		fingerprint: fingerprint(dataKey, key),
	}, nil
}

// open is the inverse of seal. It fails if the row was altered or moved to another provider or name.
func (k keeper) open(ctx context.Context, provider, name string, e envelope) (llm.Secret, error) {
	dataKey, err := k.Decrypt(ctx, e.wrappedKey)
	if err != nil {
		return "", fmt.Errorf("unwrap data key: %w", err)
	}
	aead, err := newAEAD(dataKey)
	if err != nil {
		return "", err
	}
	if len(e.sealed) < 1+aead.NonceSize() || e.sealed[0] != sealFormat {
		return "", errors.New("unseal: unknown format")
	}
	nonce, text := e.sealed[1:1+aead.NonceSize()], e.sealed[1+aead.NonceSize():]
	opened, err := aead.Open(nil, nonce, text, binding(provider, name))
	if err != nil {
		return "", fmt.Errorf("unseal: %w", err)
	}
	return llm.Secret(opened), nil
}

// reference is the envelope of a key that is read from elsewhere: nothing is sealed. Its fingerprint is random: it tells one
// reference from the next.
func reference() (envelope, error) {
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		return envelope{}, fmt.Errorf("generate fingerprint: %w", err)
	}
	return envelope{sealed: []byte{}, wrappedKey: []byte{}, fingerprint: hex.EncodeToString(random)}, nil
}

func newAEAD(dataKey []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	return aead, nil
}

// binding is the additional data that ties what is sealed to its row. Neither name can hold a slash.
func binding(provider, name string) []byte { return []byte(provider + "/" + name) }

// fingerprint tells one sealing of a key from another. Keyed by the data key, it cannot be used to try guesses.
func fingerprint(dataKey []byte, key llm.Secret) string {
	mac := hmac.New(sha256.New, dataKey)
	_, _ = mac.Write([]byte("fingerprint\x00" + key.Reveal())) // never fails (hash.Hash)
	return hex.EncodeToString(mac.Sum(nil)[:6])
}
