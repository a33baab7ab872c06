package config

import (
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-dev/holdfast/rotation"
)

// Keys say how provider keys are kept and replaced (holdfast.keys).
type Keys struct {
	// CacheFor is how long a key is used while its keeper, or the place it is read from, cannot be reached.
	CacheFor time.Duration
	// FormerKeepers are the URLs of keepers that some keys may still be wrapped by.
	FormerKeepers []string
	// Rotations say how keys are replaced, each once.
	Rotations []Rotation
}

// Rotation says when and how a key is replaced (holdfast.keys.rotation).
type Rotation struct {
	Provider, Name string
	Policy         rotation.Policy
	Mint           Mint
}

// Mint says how a new key is made. Package keys/mint says what each kind needs.
type Mint struct {
	// Kind is openai, aws_iam, azure, gcp, webhook or command.
	Kind string
	// AdminProvider and AdminName name the key of the vault that the provider's administration asks for; empty if there is none.
	AdminProvider, AdminName string
	// What follows is as in package keys/mint.
	Project, User, Resource, APIVersion, URL, Endpoint string
	Command                                            []string
	Timeout                                            time.Duration
}

const (
	// DefaultKeyCache is how long a key works on without its keeper: longer than a night.
	DefaultKeyCache = 12 * time.Hour
	// DefaultDrain is longer than any completion takes.
	DefaultDrain = time.Hour
	// DefaultBeforeExpiry leaves time for a rotation that fails at first.
	DefaultBeforeExpiry = 7 * 24 * time.Hour
)

// keyReference is a key of the vault, by its provider and name.
var keyReference = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}/[a-z0-9][a-z0-9_-]{0,62}$`)

// keys reads holdfast.keys.
func (r *reader) keys(keys *Keys) use {
	return func(path string, n *yaml.Node) {
		r.section(n, path, map[string]use{
			"cache_for":      r.days(&keys.CacheFor),
			"former_keepers": func(path string, n *yaml.Node) { r.formerKeepers(keys, path, n) },
			"rotation":       func(path string, n *yaml.Node) { r.rotations(keys, path, n) },
		}, nil)
	}
}

func (r *reader) formerKeepers(keys *Keys, path string, n *yaml.Node) {
	list, ok := r.sequence(n, path)
	if !ok {
		return
	}
	for _, n := range list {
		if url, ok := r.keeper(path, n); ok {
			keys.FormerKeepers = append(keys.FormerKeepers, url)
		}
	}
}

// rotations reads how each key is replaced.
func (r *reader) rotations(keys *Keys, path string, n *yaml.Node) {
	pairs, ok := r.mapping(n, path)
	if !ok {
		return
	}
	for _, p := range pairs {
		at := join(path, p.name)
		if !keyReference.MatchString(p.name) {
			r.problem(p.value, at, "must name a key of the vault as PROVIDER/NAME, such as openai/main")
			continue
		}
		next := Rotation{Policy: rotation.Policy{BeforeExpiry: DefaultBeforeExpiry, Drain: DefaultDrain}}
		next.Provider, next.Name, _ = strings.Cut(p.name, "/")
		present := r.section(p.value, at, map[string]use{
			"mint":          r.mint(&next.Mint),
			"every":         r.days(&next.Policy.Every),
			"at":            r.calendar(&next.Policy.At),
			"time_zone":     r.zone(&next.Policy.Zone),
			"before_expiry": r.days(&next.Policy.BeforeExpiry),
			"drain":         r.span(&next.Policy.Drain),
		}, nil)
		switch {
		case present == nil:
		case !present["mint"]:
			r.problem(p.value, at, "needs mint: it says how a new key is made")
		case present["time_zone"] && !present["at"]:
			r.problem(p.value, at, "has a time_zone without at, whose clock that would be")
		default:
			keys.Rotations = append(keys.Rotations, next)
		}
	}
}

func (r *reader) mint(mint *Mint) use {
	return func(path string, n *yaml.Node) {
		text := func(target *string) use {
			return func(path string, n *yaml.Node) {
				if value, ok := r.text(path, n); ok {
					*target = value
				}
			}
		}
		present := r.section(n, path, map[string]use{
			"kind":        r.choice(&mint.Kind, []string{"aws_iam", "azure", "command", "gcp", "openai", "webhook"}),
			"admin":       r.keyReference(&mint.AdminProvider, &mint.AdminName),
			"project":     text(&mint.Project),
			"user":        text(&mint.User),
			"resource":    text(&mint.Resource),
			"api_version": text(&mint.APIVersion),
			"url":         text(&mint.URL),
			"endpoint":    text(&mint.Endpoint),
			"command":     func(path string, n *yaml.Node) { r.command(mint, path, n) },
			"timeout":     r.span(&mint.Timeout),
		}, nil)
		if present != nil && !present["kind"] {
			r.problem(n, path, "needs kind: aws_iam, azure, command, gcp, openai or webhook")
		}
	}
}

func (r *reader) command(mint *Mint, path string, n *yaml.Node) {
	list, ok := r.sequence(n, path)
	if !ok {
		return
	}
	for _, n := range list {
		if argument, ok := r.text(path, n); ok {
			mint.Command = append(mint.Command, argument)
		}
	}
}

// keyReference reads the name of a key of the vault.
func (r *reader) keyReference(provider, name *string) use {
	return func(path string, n *yaml.Node) {
		text, ok := r.text(path, n)
		switch {
		case !ok:
		case !keyReference.MatchString(text):
			r.problem(n, path, "must name a key of the vault as PROVIDER/NAME, such as openai-admin/main")
		default:
			*provider, *name, _ = strings.Cut(text, "/")
		}
	}
}

// calendar reads the five fields of cron.
func (r *reader) calendar(target *string) use {
	return func(path string, n *yaml.Node) {
		text, ok := r.text(path, n)
		if !ok {
			return
		}
		if rotation.ParseAt(text) != nil {
			r.problem(n, path, `must be the five fields of cron of a time that comes, such as "0 3 1 * *" for 3:00 on the first of each month`)
			return
		}
		*target = text
	}
}

func (r *reader) zone(target **time.Location) use {
	return func(path string, n *yaml.Node) {
		text, ok := r.text(path, n)
		if !ok {
			return
		}
		zone, err := time.LoadLocation(text)
		if err != nil || text == "Local" {
			r.problem(n, path, "must be a time zone by its name, such as Europe/Berlin")
			return
		}
		*target = zone
	}
}

// days reads a duration in days, such as 30d, or as elsewhere.
func (r *reader) days(target *time.Duration) use {
	return func(path string, n *yaml.Node) {
		value, isDays := daysOf(n)
		if !isDays {
			r.span(target)(path, n)
			return
		}
		if value == 0 {
			r.problem(n, path, "must be longer than nothing")
			return
		}
		*target = value
	}
}
