package routing

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/keys"
)

// usable are the keys of a provider that the caller's calls may be made with, in the order in which they are to be tried.
func (t *Table) usable(caller activities.Caller, provider string) []keys.Key {
	return forCaller(t.keys.Keys(provider), caller)
}

// forCaller leaves out the keys that do not serve the caller's tenant, and puts those that share calls by weight before the
// others. The order of those is that of a draw that comes out the same for the same affinity: each key is first for its share of
// all affinities, and when one goes, only those that it was first for have another first.
func forCaller(all []keys.Key, caller activities.Caller) []keys.Key {
	plain := true
	for _, key := range all {
		plain = plain && key.Weight == 0 && len(key.Tenants) == 0
	}
	if plain {
		return all
	}
	own := slices.DeleteFunc(slices.Clone(all), func(key keys.Key) bool { return !key.Serves(caller.Tenant) })
	slices.SortStableFunc(own, func(a, b keys.Key) int {
		switch x, y := draw(a, caller.Affinity), draw(b, caller.Affinity); {
		case x < y:
			return -1
		case x > y:
			return 1
		default:
			return 0
		}
	})
	return own
}

// draw is the key's lot for an affinity, the least of which is first (weighted rendezvous hashing).
func draw(key keys.Key, affinity string) float64 {
	if key.Weight == 0 {
		return math.Inf(1)
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(key.Name + "\x00" + affinity)) // never fails (hash.Hash)
	mixed := hash.Sum64()
	mixed ^= mixed >> 33 // the high bits of FNV of short texts that differ at their end are alike
	mixed *= 0xff51afd7ed558ccd
	mixed ^= mixed >> 33
	share := (float64(mixed>>11) + 0.5) / (1 << 53)
	return -math.Log(share) / float64(key.Weight)
}

// keyless says whether a deployment may be called without a key: one at an address of one's own, of whose provider the vault holds
// none. Keys that are out of use, or serve others, are no reason to call without one.
func (t *Table) keyless(d deployment) bool {
	return d.open && len(t.keys.Keys(d.Provider)) == 0 && t.keys.Unusable(d.Provider) == ""
}

// withoutKey says why a tenant has no usable key of a provider, and what to do.
func (t *Table) withoutKey(tenant, provider string) string {
	if len(t.keys.Keys(provider)) > 0 {
		return fmt.Sprintf("no key for %s in the vault serves tenant %q", provider, tenant)
	}
	if why := t.keys.Unusable(provider); why != "" {
		return fmt.Sprintf("no usable key for %s: %s", provider, why)
	}
	return fmt.Sprintf(`no key for %s in the vault: printf %%s "$KEY" | holdfast keys add %s --name main`, provider, provider)
}
