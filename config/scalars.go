package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// environPrefix marks a value that LiteLLM reads from its environment.
const environPrefix = "os.environ/"

// maxDuration bounds every duration: longer is a slip of units.
const maxDuration = 7 * 24 * time.Hour

// scalar gives the text of a value that is written out in the file.
func (r *reader) scalar(path string, n *yaml.Node, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		r.problem(n, path, "must be %s, not %s", want, describe(n))
		return "", false
	}
	if strings.HasPrefix(n.Value, environPrefix) {
		r.problem(n, path, "environment variables are not read here; write the value itself")
		return "", false
	}
	return n.Value, true
}

func (r *reader) text(path string, n *yaml.Node) (string, bool) {
	text, ok := r.scalar(path, n, "text")
	switch {
	case !ok:
		return "", false
	case n.ShortTag() != "!!str":
		r.problem(n, path, "must be text, not %s; put it in quotes", describe(n))
		return "", false
	case text == "" || text != strings.TrimSpace(text):
		r.problem(n, path, "must not be empty, nor begin or end with a space")
		return "", false
	}
	return text, true
}

// oneOf takes one of a few words.
func (r *reader) oneOf(path string, n *yaml.Node, known []string) (string, bool) {
	text, ok := r.text(path, n)
	if ok && !slices.Contains(known, text) {
		r.problem(n, path, "must be one of %s", strings.Join(known, ", "))
		return "", false
	}
	return text, ok
}

// number takes numbers and, as LiteLLM does, numbers in quotes.
func (r *reader) number(path string, n *yaml.Node) (float64, bool) {
	text, ok := r.scalar(path, n, "a number")
	if !ok {
		return 0, false
	}
	value, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && !math.IsNaN(value) && !math.IsInf(value, 0):
		return value, true
	case describe(n) == "a number":
		r.problem(n, path, "must be a finite number")
	default:
		r.problem(n, path, "must be a number, not %s", describe(n))
	}
	return 0, false
}

func (r *reader) integer(path string, n *yaml.Node, low, high int64) (int64, bool) {
	text, ok := r.scalar(path, n, "a whole number")
	if !ok {
		return 0, false
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.problem(n, path, "must be a whole number")
		return 0, false
	}
	if value < low || value > high {
		r.problem(n, path, "must be between %d and %d", low, high)
		return 0, false
	}
	return value, true
}

// aDuration says what a duration looks like.
const aDuration = "a number of seconds or a duration such as 30s"

// duration takes a number of seconds, as LiteLLM writes them, or Go's notation such as 30s or 1m30s.
func (r *reader) duration(path string, n *yaml.Node) (time.Duration, bool) {
	value, ok := r.anyDuration(path, n, aDuration)
	if ok && value <= 0 {
		r.problem(n, path, "must be more than 0 and at most %.0f hours", maxDuration.Hours())
		return 0, false
	}
	return value, ok
}

// durationOrZero is duration, for settings of which 0 says something.
func (r *reader) durationOrZero(path string, n *yaml.Node) (time.Duration, bool) {
	value, ok := r.anyDuration(path, n, aDuration)
	if ok && value < 0 {
		r.problem(n, path, "must be at least 0 and at most %.0f hours", maxDuration.Hours())
		return 0, false
	}
	return value, ok
}

// anyDuration takes one that is not too long; it may be 0, or negative where it is out of bounds.
func (r *reader) anyDuration(path string, n *yaml.Node, want string) (time.Duration, bool) {
	text, ok := r.scalar(path, n, want)
	if !ok {
		return 0, false
	}
	value, err := time.ParseDuration(text)
	if seconds, numberErr := strconv.ParseFloat(text, 64); numberErr == nil {
		// Outside of the bounds the conversion could overflow; NaN fails the comparison, too.
		if !(seconds >= 0 && seconds <= maxDuration.Seconds()) {
			return -1, true
		}
		value, err = time.Duration(seconds*float64(time.Second)), nil
	}
	switch {
	case err != nil:
		r.problem(n, path, "must be %s", want)
		return 0, false
	case value > maxDuration:
		return -1, true
	}
	return value, true
}

func (r *reader) endpoint(path string, n *yaml.Node) (string, bool) {
	text, ok := r.text(path, n)
	if !ok {
		return "", false
	}
	base, err := endpoint(text)
	if err != nil {
		r.problem(n, path, "%s", err.Error())
		return "", false
	}
	return base, true
}

// boolean reads true or false.
func (r *reader) boolean(path string, n *yaml.Node) (value, ok bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&value) != nil {
		r.problem(n, path, "must be true or false")
		return false, false
	}
	return value, true
}

// endpoint checks an HTTP base URL. Its errors do not repeat the URL, which may hold a password.
func endpoint(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		return "", errors.New("must be a URL that begins with http:// or https://")
	case u.User != nil:
		return "", fmt.Errorf("must not hold a user name or password; keys belong in the vault: %s", addCommand("KEY", ""))
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("must not have a query or fragment")
	}
	return strings.TrimRight(text, "/"), nil
}
