package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/audit"
)

// ContentKeys are the keys that what is said is sealed under. Package seal implements it.
type ContentKeys interface {
	// Rotate makes a new key, and has the keeper wrap the former ones anew.
	Rotate(ctx context.Context) (id string, err error)
}

// rotateContentKey makes a new key for what is said from now on.
func (a *admin) rotateContentKey(c *gin.Context) {
	id, err := a.cfg.ContentKeys.Rotate(c.Request.Context())
	if err != nil {
		a.fail(c, err)
		return
	}
	a.cfg.Logger.InfoContext(c.Request.Context(), "content key rotated", "key", id)
	a.audited(c, audit.Event{Action: "content_key.rotate", Subject: id})
	c.JSON(http.StatusOK, gin.H{"object": "holdfast.content_key", "id": id})
}
