package azure

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

// defaultVersion is the API version for addresses of a deployment, which demand one: the last that is no preview.
const defaultVersion = "2024-10-21"

var (
	dated      = regexp.MustCompile(`^20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?$`)
	deployment = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

// address is where a resource is and how it is spoken to.
type address struct {
	root string // up to and including /openai
	// version is the date of the API, empty for the v1 endpoints.
	version string
	preview bool   // of the v1 endpoints
	fixed   string // the deployment that the base URL names
}

// newAddress reads a base URL in any of its forms.
func newAddress(baseURL, version string) (address, error) {
	if baseURL == "" {
		return address{}, errors.New("a base URL is needed: the resource's endpoint")
	}
	base, err := wire.BaseURL(baseURL)
	if err != nil {
		return address{}, err
	}
	var a address
	switch version {
	case "", "v1", "latest":
	case "preview":
		a.preview = true
	default:
		if a.version = version; !dated.MatchString(version) {
			return address{}, fmt.Errorf("API version %q is neither a date, nor v1, latest or preview", version)
		}
	}
	for _, operation := range []string{"/chat/completions", "/responses", "/embeddings"} {
		base.Path = strings.TrimSuffix(base.Path, operation)
	}
	path, rest, _ := strings.Cut(base.Path+"/", "/openai/")
	rest = strings.TrimSuffix(rest, "/")
	named, isDeployment := strings.CutPrefix(rest, "deployments/")
	switch {
	case rest == "":
	case rest == "v1":
		if a.version != "" {
			return address{}, fmt.Errorf("the base URL is that of the v1 endpoints, which know no API version %s", a.version)
		}
	case isDeployment && deployment.MatchString(named):
		if a.fixed = named; version == "" {
			a.version = defaultVersion
		}
		if a.version == "" {
			return address{}, fmt.Errorf("the base URL is that of a deployment, which needs a date for its API version, not %q", version)
		}
	default:
		return address{}, errors.New("the base URL must end with the resource, /openai/v1 or /openai/deployments/NAME")
	}
	base.Path = strings.TrimSuffix(path, "/") + "/openai"
	a.root = base.String()
	return a, nil
}

// endpoint is where an operation of a model is, behind root.
func (a address) endpoint(operation, model string) (string, url.Values) {
	switch {
	case a.version == "" && a.preview:
		return "v1/" + operation, url.Values{"api-version": {"preview"}}
	case a.version == "":
		return "v1/" + operation, nil
	case operation == "responses", operation == "models": // of the resource, not of a deployment
		return operation, url.Values{"api-version": {a.version}}
	}
	if a.fixed != "" {
		model = a.fixed
	}
	return "deployments/" + url.PathEscape(model) + "/" + operation, url.Values{"api-version": {a.version}}
}

// since reports whether the API is of a date or later. The v1 endpoints are.
func (a address) since(date string) bool { return a.version == "" || a.version >= date }
