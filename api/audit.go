package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/audit"
)

// AuditLog is where changes are written down. [audit.Log] is one.
type AuditLog interface {
	Record(ctx context.Context, event audit.Event) error
	List(ctx context.Context, filter audit.Filter) ([]audit.Event, error)
}

// auditTime bounds the writing of one event, which the client's leaving does not end: the change was made.
const auditTime = 5 * time.Second

// audited writes a change down that was made. What cannot be written down is in the log of the process.
func (a *admin) audited(c *gin.Context, event audit.Event) {
	if a.cfg.Audit == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), auditTime)
	defer cancel()
	if err := a.cfg.Audit.Record(ctx, event); err != nil {
		a.cfg.Logger.ErrorContext(ctx, "a change is not in the audit log", "actor", audit.Actor(ctx), "action", event.Action, "subject", event.Subject, "error", err)
	}
}

// listAudit pages through the audit log, the latest first.
func (a *admin) listAudit(c *gin.Context) {
	limit, err := pageLimit(c)
	before := int64(0)
	if text := c.Query("before"); err == nil && text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			err = invalid("before", "invalid_value", "before must be the id of an event.")
		}
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	events, err := a.cfg.Audit.List(c.Request.Context(), audit.Filter{
		Subject: c.Query("subject"), Actor: c.Query("actor"), Action: c.Query("action"), Before: before, Limit: limit + 1,
	})
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, page(append([]audit.Event{}, events...), limit, func(event audit.Event) string { return strconv.FormatInt(event.ID, 10) }))
}
