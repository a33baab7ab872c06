package activities

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
)

// WatchedVault is where keys are looked after. Package keys implements it.
type WatchedVault interface {
	// Watched are all keys, and the time by the clock that their times are of.
	Watched(ctx context.Context) ([]rotation.Key, time.Time, error)
	Open(ctx context.Context, provider, name string, version int) (rotation.Version, error)
	// Verified takes in what came of trying a quarantined key.
	Verified(ctx context.Context, key rotation.Key, works bool, why string) error
	// Expiring raises an alert, once for each span; rotated says that the key is to be rotated before.
	Expiring(ctx context.Context, key rotation.Key, span time.Duration, rotated bool) error
}

// UpkeepConfig is what the activities that look after keys need. Logger may be nil.
type UpkeepConfig struct {
	Vault   WatchedVault
	Checker KeyChecker
	// Policy says when a key is rotated; ok is false for one that is not.
	Policy func(provider, name string) (policy rotation.Policy, ok bool)
	// Expiry are the spans before a key's end at which operators are told.
	Expiry []time.Duration
	Logger *slog.Logger
}

// Upkeep are the activities that look after keys. Register the struct with a worker.
type Upkeep struct{ cfg UpkeepConfig }

// NewUpkeep makes the activities.
func NewUpkeep(cfg UpkeepConfig) (*Upkeep, error) {
	if cfg.Vault == nil || cfg.Checker == nil || cfg.Policy == nil {
		return nil, errors.New("activities: a vault, a checker and policies are required")
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	return &Upkeep{cfg}, nil
}

// DueRotation is a rotation that is to begin.
type DueRotation struct {
	Provider string `json:"provider"`
	Name     string `json:"name"`
	Because  string `json:"because"`
}

// KeysLooked is what looking after the keys has found.
type KeysLooked struct {
	Keys int `json:"keys"`
	// Due are to be rotated now.
	Due []DueRotation `json:"due,omitempty"`
	// Verify is how many quarantined ones are to be tried again.
	Verify int `json:"verify,omitempty"`
	// Expiring end soon.
	Expiring []string `json:"expiring,omitempty"`
}

// LookAfterKeys raises alerts for keys that end soon, and tells which are to be rotated, and which to be tried again. It asks no
// provider, so that nobody's slowness holds it up.
func (u *Upkeep) LookAfterKeys(ctx context.Context) (looked KeysLooked, err error) {
	list, now, err := u.cfg.Vault.Watched(ctx)
	if err != nil {
		return KeysLooked{}, storeError(err)
	}
	looked.Keys = len(list)
	for _, key := range list {
		policy, rotated := u.cfg.Policy(key.Provider, key.Name)
		if err := u.expiring(ctx, key, now, rotated, &looked); err != nil {
			return KeysLooked{}, storeError(err)
		}
		if key.Verify {
			looked.Verify++
		}
		if !rotated {
			continue
		}
		if because, due := policy.Due(key, now); due {
			looked.Due = append(looked.Due, DueRotation{Provider: key.Provider, Name: key.Name, Because: because})
		}
	}
	return looked, nil
}

func (u *Upkeep) expiring(ctx context.Context, key rotation.Key, now time.Time, rotated bool, looked *KeysLooked) error {
	span := rotation.Expiring(key.ExpiresAt, u.cfg.Expiry, now)
	if span == 0 || key.State != "active" && key.State != "quarantined" {
		return nil
	}
	looked.Expiring = append(looked.Expiring, key.Subject())
	return u.cfg.Vault.Expiring(ctx, key, span, rotated)
}

// verifyAtOnce is how many quarantined keys are tried at the same time, and verifyTime how long a round of that takes at most: who is
// not tried then is in the next.
const (
	verifyAtOnce = 8
	verifyTime   = time.Minute
)

// KeysTried is what trying quarantined keys has found.
type KeysTried struct {
	// Back are in use again, Refused still quarantined.
	Back    []string `json:"back,omitempty"`
	Refused []string `json:"refused,omitempty"`
}

// TryQuarantinedKeys tries those again whose time has come.
func (u *Upkeep) TryQuarantinedKeys(ctx context.Context) (tried KeysTried, err error) {
	defer alive(ctx)()
	list, _, err := u.cfg.Vault.Watched(ctx)
	if err != nil {
		return KeysTried{}, storeError(err)
	}
	round, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(verifyAtOnce)
	for _, key := range list {
		if !key.Verify || round.Err() != nil {
			continue
		}
		group.Go(func() error {
			found := u.verify(round, key)
			mu.Lock()
			defer mu.Unlock()
			switch found {
			case "":
			case "back":
				tried.Back = append(tried.Back, key.Subject())
			default:
				tried.Refused = append(tried.Refused, key.Subject()+": "+found)
			}
			return nil
		})
	}
	_ = group.Wait() // what came of each is in tried
	slices.Sort(tried.Back)
	slices.Sort(tried.Refused)
	return tried, nil
}

// verify tries a quarantined key again: it is back, or why it is not. What cannot be asked now says nothing of the key, and is asked
// the next time.
func (u *Upkeep) verify(ctx context.Context, key rotation.Key) string {
	version, err := u.cfg.Vault.Open(ctx, key.Provider, key.Name, key.Version)
	if err != nil || version.Secret == "" {
		return "it cannot be opened"
	}
	found := "back"
	if err := u.cfg.Checker.Check(ctx, key.Provider, version.Secret); err != nil {
		found = string(llm.KindOf(err))
	}
	if ctx.Err() != nil {
		return ""
	}
	if err := u.cfg.Vault.Verified(ctx, key, found == "back", "its provider takes it again"); err != nil {
		u.cfg.Logger.WarnContext(ctx, "what came of trying a key again could not be written down", "key", key.Subject(), "error", err)
	}
	return found
}
