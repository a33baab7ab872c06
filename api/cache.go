package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/completions/store"
)

// Cache is what operators see of the answers that are kept, and forget. Package completions/store implements it.
type Cache interface {
	CacheUses(ctx context.Context, since time.Time) ([]store.CacheUse, error)
	ClearCache(ctx context.Context, route string) (int64, error)
}

// cacheTime is how far back the cache's use is counted, unless the query says otherwise.
const cacheTime = 24 * time.Hour

func (a *admin) showCache(c *gin.Context) {
	since, err := sinceOf(c, time.Now())
	if err != nil {
		a.fail(c, err)
		return
	}
	uses, err := a.cfg.Cache.CacheUses(c.Request.Context(), since)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "since": since, "data": append([]store.CacheUse{}, uses...)})
}

// sinceOf is the moment that the query names, or the time before now.
func sinceOf(c *gin.Context, now time.Time) (time.Time, error) {
	text := c.Query("since")
	if text == "" {
		return now.Add(-cacheTime).UTC(), nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, invalid("since", "invalid_value", "since must be a time such as 2026-01-31T12:00:00Z, or how long ago, such as 24h.")
	}
	return at, nil
}

// clearCache forgets the answers of a route, or of all.
func (a *admin) clearCache(c *gin.Context) {
	route := c.Query("route")
	count, err := a.cfg.Cache.ClearCache(c.Request.Context(), route)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.cfg.Logger.InfoContext(c.Request.Context(), "cache cleared", "route", route, "answers", count)
	a.audited(c, audit.Event{Action: "cache.clear", Subject: orElse(route, "all routes"), After: audit.Describe(gin.H{"answers": count})})
	c.JSON(http.StatusOK, gin.H{"route": route, "cleared": count})
}
