package wire

import (
	"errors"
	"net/url"
	"strings"
)

// BaseURL parses an endpoint's address. It must be http or https with a host, and hold neither a user nor a query: those
// tend to be secrets, and addresses end up in logs. The path comes back without a trailing slash.
func BaseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("base URL does not parse") // url.Error quotes the address
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("base URL must start with http:// or https://")
	case u.Host == "":
		return nil, errors.New("base URL has no host")
	case u.User != nil:
		return nil, errors.New("base URL must not hold a user or a password")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("base URL must not hold a query or a fragment")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}
