package seal

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Keeper wraps data keys, and says which keeper it is. Package keys implements it.
type Keeper interface {
	Wrap(ctx context.Context, dataKey []byte) (wrapped []byte, keeper string, err error)
	Unwrap(ctx context.Context, wrapped []byte) (dataKey []byte, err error)
}

// Box seals and opens. A nil Box leaves everything as it is. It is safe for concurrent use.
type Box struct {
	pool   *pgxpool.Pool
	keeper Keeper
	on     bool

	mu      sync.RWMutex
	keys    map[string]cipher.AEAD
	current string
}

// Open makes a box over the keys in the database; with on, it seals, and makes the first key if there is none.
func Open(ctx context.Context, pool *pgxpool.Pool, keeper Keeper, on bool) (*Box, error) {
	box := &Box{pool: pool, keeper: keeper, on: on, keys: map[string]cipher.AEAD{}}
	if !on {
		return box, nil
	}
	if err := box.Refresh(ctx); err != nil {
		return nil, err
	}
	if box.current == "" {
		if _, err := box.Rotate(ctx); err != nil {
			return nil, err
		}
	}
	return box, nil
}

// refreshEvery is how late a process may learn of another's new key.
const refreshEvery = time.Minute

// Run learns of keys that other processes make, until the context ends.
func (b *Box) Run(ctx context.Context) error {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if b.on {
				_ = b.Refresh(ctx) // the key at hand is good as well
			}
		}
	}
}

// Refresh takes up the latest key.
func (b *Box) Refresh(ctx context.Context) error {
	var id string
	var wrapped []byte
	err := b.pool.QueryRow(ctx, `SELECT id, wrapped FROM content_keys ORDER BY created_at DESC, id DESC LIMIT 1`).Scan(&id, &wrapped)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the latest content key: %w", err)
	}
	b.mu.RLock()
	known := b.keys[id] != nil && b.current == id
	b.mu.RUnlock()
	if known {
		return nil
	}
	if err := b.take(ctx, id, wrapped); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = id
	return nil
}

// Rotate makes a new key, under which everything is sealed from now on, and has the keeper wrap all former ones anew: whoever has
// rotated the keeper's own key gets rid of the old one so. It gives the new key's id.
func (b *Box) Rotate(ctx context.Context) (id string, err error) {
	name, dataKey := make([]byte, 8), make([]byte, 32)
	for _, random := range [][]byte{name, dataKey} {
		if _, err := rand.Read(random); err != nil {
			return "", fmt.Errorf("generating a content key: %w", err)
		}
	}
	id = hex.EncodeToString(name)
	wrapped, keeper, err := b.keeper.Wrap(ctx, dataKey)
	if err != nil {
		return "", fmt.Errorf("wrapping a content key: %w", err)
	}
	rows, _ := b.pool.Query(ctx, `SELECT id, wrapped FROM content_keys`)
	former := map[string][]byte{}
	var each string
	var old []byte
	if _, err := pgx.ForEachRow(rows, []any{&each, &old}, func() error { former[each] = bytes.Clone(old); return nil }); err != nil {
		return "", fmt.Errorf("reading content keys: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO content_keys (id, wrapped, keeper) VALUES ($1, $2, $3)`, id, wrapped, keeper)
	for each, old := range former {
		opened, err := b.keeper.Unwrap(ctx, old)
		if err != nil {
			return "", fmt.Errorf("unwrapping content key %s: %w", each, err)
		}
		again, keeper, err := b.keeper.Wrap(ctx, opened)
		if err != nil {
			return "", fmt.Errorf("wrapping content key %s: %w", each, err)
		}
		batch.Queue(`UPDATE content_keys SET wrapped = $2, keeper = $3 WHERE id = $1`, each, again, keeper)
	}
	if err := b.pool.SendBatch(ctx, batch).Close(); err != nil {
		return "", fmt.Errorf("keeping content keys: %w", err)
	}
	return id, b.Refresh(ctx)
}

// take unwraps a key and remembers it.
func (b *Box) take(ctx context.Context, id string, wrapped []byte) error {
	dataKey, err := b.keeper.Unwrap(ctx, wrapped)
	if err != nil {
		return fmt.Errorf("unwrapping content key %s: %w", id, err)
	}
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		return fmt.Errorf("content key %s: %w", id, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return fmt.Errorf("content key %s: %w", id, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys[id] = aead
	return nil
}

// The form of what is sealed: a JSON object of one member, so that it stands where JSON stood. Its text is the key's id, a colon,
// and the nonce with the ciphertext in base64.
const (
	before = `{"holdfast_sealed":"`
	behind = `"}`
)

// Marshal encodes a value as JSON, and seals that.
func (b *Box) Marshal(value any) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return b.Seal(plain)
}

// Unmarshal opens what Marshal gave, and decodes it.
func (b *Box) Unmarshal(ctx context.Context, data []byte, into any) error {
	plain, err := b.Open(ctx, data)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// Seal seals bytes, if the box does.
func (b *Box) Seal(plain []byte) ([]byte, error) {
	if b == nil || !b.on {
		return plain, nil
	}
	b.mu.RLock()
	id, aead := b.current, b.keys[b.current]
	b.mu.RUnlock()
	if aead == nil {
		return nil, errors.New("there is no content key to seal with")
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("generating a nonce: %w", err)
	}
	sealed := aead.Seal(nonce, nonce, plain, []byte(id))
	return []byte(before + id + ":" + base64.StdEncoding.EncodeToString(sealed) + behind), nil
}

// Open opens what was sealed; what was not is given back as it is. The error says that it was altered, or that its key is gone.
func (b *Box) Open(ctx context.Context, data []byte) ([]byte, error) {
	text := strings.TrimSpace(string(data[:min(len(data), len(before)+1)]))
	if !strings.HasPrefix(text, before) {
		return data, nil
	}
	inner, ok := strings.CutSuffix(strings.TrimPrefix(strings.TrimSpace(string(data)), before), behind)
	id, encoded, found := strings.Cut(inner, ":")
	if !ok || !found || b == nil {
		return nil, errors.New("sealed content that cannot be opened here")
	}
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("sealed content that is not base64")
	}
	aead, err := b.key(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("sealed content that is cut short")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(id))
	if err != nil {
		return nil, fmt.Errorf("opening sealed content: %w", err)
	}
	return plain, nil
}

// keyTime bounds the look for a key that this process has not met.
const keyTime = 5 * time.Second

func (b *Box) key(ctx context.Context, id string) (cipher.AEAD, error) {
	b.mu.RLock()
	aead := b.keys[id]
	b.mu.RUnlock()
	if aead != nil {
		return aead, nil
	}
	ctx, cancel := context.WithTimeout(ctx, keyTime)
	defer cancel()
	var wrapped []byte
	if err := b.pool.QueryRow(ctx, `SELECT wrapped FROM content_keys WHERE id = $1`, id).Scan(&wrapped); err != nil {
		return nil, fmt.Errorf("reading content key %s: %w", id, err)
	}
	if err := b.take(ctx, id, wrapped); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.keys[id], nil
}
