package keys

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

// Errors that callers act on. Their texts are fit for whoever administers keys.
var (
	ErrExists   = errors.New("a key of this provider and name exists")
	ErrNotFound = errors.New("there is no key of this provider and name")
	ErrBadName  = errors.New("a provider or key name must be 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit")
	ErrBadKey   = errors.New("not a key")
)

// maxKeyBytes bounds a key: Google's service-account files, the longest in use, are under 3 KiB.
const maxKeyBytes = 8 << 10

// channel is what changes are notified on.
const channel = "holdfast_keys"

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// State says whether a key is in use.
type State string

// The states of a key.
const (
	StateActive   State = "active"
	StateDisabled State = "disabled"
)

// Info describes a key without revealing anything of it.
type Info struct {
	Provider string `json:"provider"`
	Name     string `json:"name"`
	State    State  `json:"state"`
	// Fingerprint changes whenever the key is replaced, even by itself.
	Fingerprint string `json:"fingerprint"`
	// Keeper identifies what wraps the key's data key.
	Keeper    string    `json:"keeper"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Options say where a vault is.
type Options struct {
	Pool *pgxpool.Pool
	// KeeperURL names the keeper: awskms://, azurekeyvault://, gcpkms:// and hashivault:// as gocloud.dev/secrets has them,
	// or file:///path/to/vault.key, a file of mode 0600.
	KeeperURL string
	// CreateLocal lets a missing file of a file keeper be made, unless the vault holds keys that such a file protects.
	CreateLocal bool
	// Logger is told what goes wrong while [Vault.Run] follows the table; nothing is logged when nil.
	Logger *slog.Logger
}

// Vault holds provider keys. It is safe for concurrent use.
type Vault struct {
	pool   *pgxpool.Pool
	keeper keeper
	logger *slog.Logger

	ready     chan struct{}
	readyOnce sync.Once
	current   atomic.Pointer[snapshot]
}

// Open opens the vault's keeper. The database is asked only when a key file would have to be created.
func Open(ctx context.Context, options Options) (*Vault, error) {
	opened, err := openKeeper(ctx, options.KeeperURL, func() error { return mayCreate(ctx, options) })
	if err != nil {
		return nil, err
	}
	vault := &Vault{
		pool:   options.Pool,
		keeper: opened,
		logger: cmp.Or(options.Logger, slog.New(slog.DiscardHandler)),
		ready:  make(chan struct{}),
	}
	vault.current.Store(&snapshot{})
	return vault, nil
}

const countFileKeys = `SELECT (SELECT count(*) FROM provider_keys WHERE keeper LIKE 'file:%' AND state = 'active')
	+ (SELECT count(*) FROM content_keys WHERE keeper LIKE 'file:%')`

// mayCreate refuses a new key file beside keys that an old one protects: it would look well and open none of them.
func mayCreate(ctx context.Context, options Options) error {
	if !options.CreateLocal {
		return errors.New("it is not created here")
	}
	var count int
	if err := options.Pool.QueryRow(ctx, countFileKeys).Scan(&count); err != nil {
		return fmt.Errorf("count sealed keys: %w", err)
	}
	if count > 0 {
		return fmt.Errorf("the vault holds %d keys that such a file protects; put the file that belongs to them there", count)
	}
	return nil
}

// Close releases the keeper. [Vault.Run] must have returned.
func (v *Vault) Close() error {
	if err := v.keeper.Close(); err != nil {
		return fmt.Errorf("close keeper: %w", err)
	}
	return nil
}

const insertKey = `
INSERT INTO provider_keys (provider, name, sealed, wrapped_key, keeper, fingerprint)
VALUES (@provider, @name, @sealed, @wrapped_key, @keeper, @fingerprint)`

const onConflictNothing = ` ON CONFLICT (provider, name) DO NOTHING`

const onConflictReplace = `
ON CONFLICT (provider, name) DO UPDATE SET
    sealed = excluded.sealed, wrapped_key = excluded.wrapped_key, keeper = excluded.keeper,
    fingerprint = excluded.fingerprint, state = 'active', updated_at = clock_timestamp()`

const returning = ` RETURNING provider, name, state, fingerprint, keeper, created_at, updated_at`

// Add seals a new key. One trailing line break is not part of it. It returns [ErrExists], [ErrBadName] or [ErrBadKey] where
// that is what is wrong.
func (v *Vault) Add(ctx context.Context, provider, name string, key llm.Secret) (Info, error) {
	return v.put(ctx, provider, name, key, insertKey+onConflictNothing+returning)
}

// Replace is [Vault.Add] that takes the place of a key of the same provider and name, if there is one: its rank among the
// provider's keys stays, and a disabled one is active again.
func (v *Vault) Replace(ctx context.Context, provider, name string, key llm.Secret) (Info, error) {
	return v.put(ctx, provider, name, key, insertKey+onConflictReplace+returning)
}

func (v *Vault) put(ctx context.Context, provider, name string, key llm.Secret, query string) (Info, error) {
	if !validName.MatchString(provider) || !validName.MatchString(name) {
		return Info{}, ErrBadName
	}
	key, err := clean(key)
	if err != nil {
		return Info{}, err
	}
	e, err := v.keeper.seal(ctx, provider, name, key)
	if err != nil {
		return Info{}, fmt.Errorf("seal key %s/%s: %w", provider, name, err)
	}
	return v.change(ctx, provider, name, ErrExists, query, pgx.NamedArgs{
		"provider": provider, "name": name, "sealed": e.sealed, "wrapped_key": e.wrappedKey,
		"keeper": v.keeper.id, "fingerprint": e.fingerprint,
	})
}

const disableKey = `UPDATE provider_keys SET state = 'disabled', updated_at = clock_timestamp()
WHERE provider = @provider AND name = @name` + returning

// Disable takes a key out of use in every process; [Vault.Replace] brings one back. It returns [ErrNotFound] where there is
// none.
func (v *Vault) Disable(ctx context.Context, provider, name string) (Info, error) {
	return v.change(ctx, provider, name, ErrNotFound, disableKey, pgx.NamedArgs{"provider": provider, "name": name})
}

// change runs a statement that returns the changed row, or none for the error otherwise, and notifies in the same
// transaction.
func (v *Vault) change(
	ctx context.Context, provider, name string, otherwise error, query string, args pgx.NamedArgs,
) (Info, error) {
	var info Info
	err := postgres.Tx(ctx, v.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, args)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		if info, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Info]); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, '')`, channel)
		return err //nolint:wrapcheck // wrapped below
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Info{}, otherwise
	case err != nil:
		return Info{}, fmt.Errorf("change key %s/%s: %w", provider, name, err)
	}
	return info, nil
}

const listKeys = `SELECT provider, name, state, fingerprint, keeper, created_at, updated_at
FROM provider_keys ORDER BY provider, created_at, id`

// List describes all keys, by provider and the oldest first.
func (v *Vault) List(ctx context.Context) ([]Info, error) {
	rows, err := v.pool.Query(ctx, listKeys)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	infos, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Info])
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return infos, nil
}

// clean takes off one line break and refuses what cannot be a key. A credential that is a JSON object (a service account, a
// principal, a role to be assumed) is kept without the white space between its members. Its errors say nothing of the key but
// its flaw.
func clean(key llm.Secret) (llm.Secret, error) {
	text := strings.TrimSuffix(strings.TrimSuffix(key.Reveal(), "\n"), "\r")
	if strings.HasPrefix(strings.TrimSpace(text), "{") && len(text) <= 2*maxKeyBytes {
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text)) != nil {
			return "", fmt.Errorf("%w: it begins as a JSON object and is none", ErrBadKey)
		}
		if compact.Len() > maxKeyBytes {
			return "", fmt.Errorf("%w: it is longer than %d bytes", ErrBadKey, maxKeyBytes)
		}
		return llm.Secret(compact.String()), nil
	}
	switch {
	case text == "":
		return "", fmt.Errorf("%w: it is empty", ErrBadKey)
	case len(text) > maxKeyBytes:
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrBadKey, maxKeyBytes)
	case !utf8.ValidString(text):
		return "", fmt.Errorf("%w: it is not text", ErrBadKey)
	case strings.ContainsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) }):
		return "", fmt.Errorf("%w: it holds a space, a line break or an unprintable character", ErrBadKey)
	}
	return llm.Secret(text), nil
}
