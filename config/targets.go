package config

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// Ways to take a value in where it goes, for the tables of a section's keys.

// span takes a duration.
func (r *reader) span(target *time.Duration) use {
	return func(path string, n *yaml.Node) {
		if value, ok := r.duration(path, n); ok {
			*target = value
		}
	}
}

// pause takes a duration that may be 0.
func (r *reader) pause(target *time.Duration) use {
	return func(path string, n *yaml.Node) {
		if value, ok := r.durationOrZero(path, n); ok {
			*target = value
		}
	}
}

func (r *reader) flag(target *bool) use {
	return func(path string, n *yaml.Node) {
		if value, ok := r.boolean(path, n); ok {
			*target = value
		}
	}
}

// fact takes true or false where nothing said is a third thing.
func (r *reader) fact(target **bool) use {
	return func(path string, n *yaml.Node) {
		if value, ok := r.boolean(path, n); ok {
			*target = &value
		}
	}
}

func (r *reader) count(target *int, low, high int64) use {
	return func(path string, n *yaml.Node) {
		if value, ok := r.integer(path, n, low, high); ok {
			*target = int(value)
		}
	}
}

func (r *reader) amount(target *int64, low, high int64) use {
	return func(path string, n *yaml.Node) {
		if value, ok := r.integer(path, n, low, high); ok {
			*target = value
		}
	}
}

// share takes a number between 0 and most.
func (r *reader) share(target *float64, most float64) use {
	return func(path string, n *yaml.Node) {
		value, ok := r.number(path, n)
		switch {
		case !ok:
		case value < 0 || value > most:
			r.problem(n, path, "must be between 0 and %g", most)
		default:
			*target = value
		}
	}
}

// choice takes one of a few words.
func (r *reader) choice(target *string, known []string) use {
	return func(path string, n *yaml.Node) {
		if value, ok := r.oneOf(path, n, known); ok {
			*target = value
		}
	}
}

// words takes a list of texts that are no secrets. An empty one is refused: it can be read as everybody and as nobody.
func (r *reader) words(target *[]string) use {
	return func(path string, n *yaml.Node) {
		items, ok := r.sequence(n, path)
		if ok && len(items) == 0 {
			r.problem(n, path, "is empty; leave it out, or name some")
		}
		var words []string
		for i, item := range items {
			if word, ok := r.text(index(path, i), item); ok && !r.isSecretWord(index(path, i), item) {
				words = append(words, word)
			}
		}
		*target = words
	}
}

// isSecretWord refuses a secret where an id or a name is meant.
func (r *reader) isSecretWord(path string, n *yaml.Node) bool {
	if !looksSecret(n.Value) {
		return false
	}
	r.problem(n, path, "a secret may not be in this file; write an id or a name")
	return true
}

// texts takes a mapping of texts that are no secrets; numbers and true or false count as their text.
func (r *reader) texts(target *map[string]string) use {
	return func(path string, n *yaml.Node) {
		pairs, ok := r.mapping(n, path)
		if ok && len(pairs) == 0 {
			r.problem(n, path, "is empty; leave it out, or name some")
		}
		var texts map[string]string
		for _, p := range pairs {
			at := join(path, p.name)
			if r.refuseSecret(p, at, false) {
				continue
			}
			if text, ok := r.scalar(at, p.value, "text"); ok {
				if texts == nil {
					texts = map[string]string{}
				}
				texts[p.name] = text
			}
		}
		*target = texts
	}
}
