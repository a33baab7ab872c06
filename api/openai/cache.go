package openai

import (
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// cacheControls are LiteLLM's words on the response cache (https://docs.litellm.ai/docs/proxy/caching).
type cacheControls struct {
	UseCache bool `json:"use-cache"`
	NoCache  bool `json:"no-cache"`
	NoStore  bool `json:"no-store"`
	// Seconds: how long the answer is fresh, and how old a kept one may be.
	TTL     *float64 `json:"ttl"`
	SMaxAge *float64 `json:"s-maxage"`
}

// longestKept bounds what a request may say of time.
const longestKept = 366 * 24 * time.Hour

func (c *cacheControls) decode() (*llm.CacheControl, error) {
	if c == nil || *c == (cacheControls{}) {
		return nil, nil //nolint:nilnil // nothing was said, and nothing is wrong
	}
	control := llm.CacheControl{Use: c.UseCache, NoRead: c.NoCache, NoStore: c.NoStore}
	if c.TTL != nil {
		if *c.TTL <= 0 || *c.TTL > longestKept.Seconds() {
			return nil, invalid("cache.ttl", "invalid_value", "cache.ttl is a number of seconds, above 0 and at most a year.")
		}
		control.TTL = seconds(*c.TTL)
	}
	if c.SMaxAge != nil {
		if *c.SMaxAge < 0 || *c.SMaxAge > longestKept.Seconds() {
			return nil, invalid("cache.s-maxage", "invalid_value", "cache.s-maxage is a number of seconds, at most a year.")
		}
		control.MaxAge = seconds(*c.SMaxAge)
		control.NoRead = control.NoRead || control.MaxAge == 0 // nothing is as young as that
	}
	return &control, nil
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
