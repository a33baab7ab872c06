package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/keys/source"
	"github.com/holdfast-dev/holdfast/llm"
)

// Errors that callers act on. Their texts are fit for whoever administers keys.
var (
	ErrExists   = errors.New("a key of this provider and name exists")
	ErrNotFound = errors.New("there is no key of this provider and name")
	ErrBadName  = errors.New("a provider or key name must be 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit")
	ErrBadKey   = errors.New("not a key")
	// ErrChanged means that the key is not what it was taken to be: another change came first.
	ErrChanged = errors.New("the key has been changed meanwhile")
	// ErrBadAttribute means that an attribute of a key has a value that it cannot have.
	ErrBadAttribute = errors.New("not a value of this attribute")
	// ErrElsewhere means that a key is read from elsewhere, so that it is to be replaced there.
	ErrElsewhere = errors.New("the key is read from elsewhere: it is rotated there")
	// ErrRotating means that a rotation of the key is under way already.
	ErrRotating = errors.New("the key is being rotated")
)

// channel is what changes are notified on.
const channel = "holdfast_keys"

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// Options say where a vault is.
type Options struct {
	Pool *pgxpool.Pool
	// KeeperURL names the keeper: awskms://, azurekeyvault://, gcpkms:// and hashivault:// as gocloud.dev/secrets has them,
	// or file:///path/to/vault.key, a file of mode 0600.
	KeeperURL string
	// FormerKeepers are the URLs of keepers that some keys may still be wrapped by: see [Vault.Rewrap].
	FormerKeepers []string
	// CacheFor is how long a key is used while its keeper, or the place it is read from, cannot be reached; 0 is
	// [DefaultCacheFor].
	CacheFor time.Duration
	// CreateLocal lets a missing file of a file keeper be made, unless the vault holds keys that such a file protects.
	CreateLocal bool
	// Logger is told what goes wrong while [Vault.Run] follows the table; nothing is logged when nil.
	Logger *slog.Logger
	// Now is the clock that the age of what is remembered is told by; nil means [time.Now].
	Now func() time.Time
}

// DefaultCacheFor outlasts the outages that keepers have had, and a night.
const DefaultCacheFor = 12 * time.Hour

// Vault holds provider keys. It is safe for concurrent use.
type Vault struct {
	pool     *pgxpool.Pool
	keeper   keeper
	former   []keeper
	cacheFor time.Duration
	logger   *slog.Logger
	now      func() time.Time
	read     func(ctx context.Context, source string) (llm.Secret, error) // of a reference

	ready     chan struct{}
	readyOnce sync.Once
	// loading is held while the next snapshot is made.
	loading sync.Mutex
	current atomic.Pointer[snapshot]
	trouble trouble
}

// Open opens the vault's keeper. The database is asked only when a key file would have to be created.
func Open(ctx context.Context, options Options) (*Vault, error) {
	opened, err := openKeeper(ctx, options.KeeperURL, func() error { return mayCreate(ctx, options) })
	if err != nil {
		return nil, err
	}
	vault := &Vault{
		pool:     options.Pool,
		keeper:   opened,
		cacheFor: cmp.Or(options.CacheFor, DefaultCacheFor),
		logger:   cmp.Or(options.Logger, slog.New(slog.DiscardHandler)),
		now:      options.Now,
		read:     source.Read,
		ready:    make(chan struct{}),
	}
	if vault.now == nil {
		vault.now = time.Now
	}
	for _, url := range options.FormerKeepers {
		former, err := openKeeper(ctx, url, func() error { return errors.New("a former keeper is not created") })
		if err != nil {
			_ = vault.Close()
			return nil, fmt.Errorf("former %w", err)
		}
		vault.former = append(vault.former, former)
	}
	vault.publish(newSnapshot(nil))
	return vault, nil
}

const countFileKeys = `SELECT (SELECT count(*) FROM provider_keys WHERE keeper LIKE 'file:%' AND state <> 'disabled')
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
	for _, keeper := range append([]keeper{v.keeper}, v.former...) {
		if err := keeper.Close(); err != nil {
			return fmt.Errorf("close keeper: %w", err)
		}
	}
	return nil
}
