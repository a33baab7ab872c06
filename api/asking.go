package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/llm"
)

// headerTags are LiteLLM's: words to choose targets by, with commas between them.
const headerTags = "X-Litellm-Tags"

// named checks the names that a request gives of models and providers. A model that is no route may be one with OpenRouter's
// :nitro or :floor behind it, which say by what its targets are sorted.
func (s *Server) named(request *llm.Request) error {
	if err := s.suffixed(request); err != nil {
		return err
	}
	if !s.routes[request.Model] {
		return s.noSuchModel(request.Model)
	}
	if request.Routing == nil {
		return nil
	}
	for _, name := range request.Routing.Fallbacks {
		if !s.routes[name] {
			return s.noSuchModel(name)
		}
	}
	for _, list := range []struct {
		param string
		names []string
	}{{"provider.order", request.Routing.Order}, {"provider.only", request.Routing.Only}, {"provider.ignore", request.Routing.Ignore}} {
		for _, name := range list.names {
			if s.cfg.Providers != nil && !slices.Contains(s.cfg.Providers, name) {
				return invalid(list.param, "invalid_value", "No provider is called '"+name+"'. Known are "+strings.Join(s.cfg.Providers, ", ")+".")
			}
		}
	}
	return nil
}

// suffixed takes a suffix off the model's name, and says in its place what it means.
func (s *Server) suffixed(request *llm.Request) error {
	name, suffix, found := strings.Cut(request.Model, ":")
	sort := map[string]llm.Sort{"nitro": llm.SortThroughput, "floor": llm.SortPrice}[suffix]
	if !found || sort == "" || s.routes[request.Model] || !s.routes[name] {
		return nil
	}
	var routing llm.Routing
	if request.Routing != nil {
		routing = *request.Routing
	}
	if routing.Sort != "" && routing.Sort != sort {
		return invalid("provider.sort", "invalid_value", "The model's suffix sorts by "+string(sort)+", provider.sort says "+string(routing.Sort)+".")
	}
	routing.Sort = sort
	request.Model, request.Routing = name, &routing
	return nil
}

// routed is what is asked of a request's routing in all: by its body, by its headers, by the token that it came with, and by
// what its route does for those who wait; nil if nothing is. What does not come from the body is no part of what the
// request means: repeated with another token, it is the same.
func (s *Server) routed(c *gin.Context, request llm.Request, async bool) *llm.Routing {
	var routing llm.Routing
	if request.Routing != nil {
		routing = *request.Routing
	}
	said := request.Routing != nil
	if tags := c.GetHeader(headerTags); tags != "" {
		said = true
		routing.Tags = slices.Clone(routing.Tags)
		for tag := range strings.SplitSeq(tags, ",") {
			if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(routing.Tags, tag) {
				routing.Tags = append(routing.Tags, tag)
			}
		}
	}
	if control := cacheControl(c, routing.Cache); control != nil {
		said, routing.Cache = true, control
	}
	if principal, _ := c.MustGet(principalKey).(access.Principal); principal.TokenID != "" {
		said, routing.Token = true, principal.TokenID
	}
	if s.cfg.Parks != nil && s.cfg.Parks(request.Model, async) {
		said, routing.Park = true, true
	}
	if !said {
		return nil
	}
	return &routing
}

// cacheControl adds what the Cache-Control header says (RFC 9111) to what the body does; nil if neither says anything.
func cacheControl(c *gin.Context, body *llm.CacheControl) *llm.CacheControl {
	header := c.GetHeader("Cache-Control")
	if header == "" {
		return body
	}
	var control llm.CacheControl
	if body != nil {
		control = *body
	}
	for directive := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-cache":
			control.NoRead = true
		case "no-store":
			control.NoStore = true
		case "max-age":
			seconds, err := strconv.ParseInt(value, 10, 32)
			switch {
			case err != nil || seconds < 0 || control.MaxAge > 0: // the body's own word is the narrower
			case seconds == 0:
				control.NoRead = true
			default:
				control.MaxAge = time.Duration(seconds) * time.Second
			}
		}
	}
	if control == (llm.CacheControl{}) {
		return nil
	}
	return &control
}
