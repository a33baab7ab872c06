package keys

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	"gocloud.dev/secrets"
	"gocloud.dev/secrets/localsecrets"

	"github.com/holdfast-dev/holdfast/keys/secretfile"
)

// keeper wraps data keys.
type keeper struct {
	*secrets.Keeper
	// id names the keeper in the table: its URL, or for a local file what its content identifies it by, so that a file that
	// moved is the same keeper and another file at the same path is not.
	id string
}

// Encrypt has the keeper wrap a data key.
func (k keeper) Encrypt(ctx context.Context, dataKey []byte) ([]byte, error) {
	return ask(ctx, func() ([]byte, error) { return k.Keeper.Encrypt(ctx, dataKey) })
}

// Decrypt is the inverse of Encrypt.
func (k keeper) Decrypt(ctx context.Context, wrapped []byte) ([]byte, error) {
	return ask(ctx, func() ([]byte, error) { return k.Keeper.Decrypt(ctx, wrapped) })
}

// ask calls a keeper and waits no longer than ctx lasts: the client for Vault's knows no end of its own. It panics where an answer is
// none of Vault's, such as that of a proxy in front of it, which is an error here.
func ask(ctx context.Context, call func() ([]byte, error)) ([]byte, error) {
	type outcome struct {
		bytes []byte
		err   error
	}
	answered := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if recover() != nil { // what it says may quote the answer
				o = outcome{err: errNoAnswer}
			}
			answered <- o
		}()
		o.bytes, o.err = call()
	}()
	select {
	case o := <-answered:
		return o.bytes, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("the keeper did not answer: %w", ctx.Err())
	}
}

var errNoAnswer = errors.New("what the keeper answered is no answer of a keeper")

// openKeeper opens the keeper that a URL names. A local file that is missing is created if mayCreate agrees.
func openKeeper(ctx context.Context, address string, mayCreate func() error) (keeper, error) {
	u, err := url.Parse(address)
	if err != nil {
		return keeper{}, errors.New("keeper: not a URL") // url.Error repeats the text, which may hold a password
	}
	switch {
	case u.User != nil:
		return keeper{}, errors.New("keeper: its URL must not hold a user name or password")
	case u.Scheme == "file":
		return openFile(u, mayCreate)
	case u.Scheme == "awskms", u.Scheme == "azurekeyvault", u.Scheme == "gcpkms", u.Scheme == "hashivault":
	default: // base64key, among others: a URL that is the key itself
		return keeper{}, fmt.Errorf("keeper: unknown scheme %q; known are awskms, azurekeyvault, file, gcpkms, hashivault", u.Scheme)
	}
	opened, err := secrets.OpenKeeper(ctx, address)
	if err != nil {
		return keeper{}, fmt.Errorf("open keeper: %w", err)
	}
	return keeper{Keeper: opened, id: address}, nil
}

// openFile opens a keeper whose key is in a local file: 32 random bytes in base64.
func openFile(u *url.URL, mayCreate func() error) (keeper, error) {
	if u.Host != "" || u.Path == "" || u.RawQuery != "" {
		return keeper{}, errors.New("keeper: a file's URL must be an absolute path, such as file:///var/lib/holdfast/vault.key")
	}
	text, err := secretfile.Load(u.Path)
	if errors.Is(err, fs.ErrNotExist) {
		if refusal := mayCreate(); refusal != nil {
			return keeper{}, fmt.Errorf("keeper: %w: %w", err, refusal)
		}
		text, err = secretfile.LoadOrCreate(u.Path, newFileKey)
	}
	if err != nil {
		return keeper{}, fmt.Errorf("keeper: %w", err)
	}
	secret, err := localsecrets.Base64KeyStd(string(bytes.TrimSpace(text)))
	if err != nil {
		return keeper{}, fmt.Errorf("keeper: %s does not hold 32 bytes in base64", u.Path)
	}
	sum := sha256.Sum256(append([]byte("holdfast vault key id\x00"), secret[:]...))
	return keeper{Keeper: localsecrets.NewKeeper(secret), id: "file:" + hex.EncodeToString(sum[:8])}, nil
}

func newFileKey() ([]byte, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("generate vault key: %w", err)
	}
	return []byte(base64.StdEncoding.EncodeToString(secret) + "\n"), nil
}
