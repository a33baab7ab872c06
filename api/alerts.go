package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/audit"
)

// AlertDesk is what operators see of alerts, and how they try their webhooks. [alerts.Store] is one.
type AlertDesk interface {
	List(ctx context.Context, limit int) ([]alerts.Told, error)
	RaiseTest(ctx context.Context, by string) (alerts.Alert, error)
}

func (a *admin) serveAlerts(group *gin.RouterGroup) {
	group.GET("/alerts", a.needs(access.ScopeAlertsRead), a.listAlerts)
	group.POST("/alerts/test", a.needs(access.ScopeAlertsWrite), a.testAlerts)
}

func (a *admin) listAlerts(c *gin.Context) {
	limit, err := pageLimit(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	list, err := a.cfg.Alerts.List(c.Request.Context(), limit)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": append([]alerts.Told{}, list...)})
}

// testAlerts raises an alert that every webhook is told of, and names them.
func (a *admin) testAlerts(c *gin.Context) {
	alert, err := a.cfg.Alerts.RaiseTest(c.Request.Context(), principalOf(c).Actor())
	if err != nil {
		a.fail(c, err)
		return
	}
	a.audited(c, audit.Event{Action: "alert.test", Subject: alert.ID})
	c.JSON(http.StatusOK, gin.H{"alert": alert, "webhooks": append([]string{}, a.cfg.Webhooks...)})
}
