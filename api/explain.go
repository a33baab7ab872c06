package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/failover"
)

// Explainer says who would serve a route and why, without calling anybody. Package routing implements it.
type Explainer interface {
	Explain(route string, ask failover.Ask, now time.Time) (explained failover.Explained, known bool)
}

// explained is a deployment that would be called, in its place.
type explained struct {
	Deployment string `json:"deployment"`
	Provider   string `json:"provider"`
	Model      string `json:"model"`
	// Fallback is the route that the deployment belongs to, if it is not the one asked for; For, what must have happened.
	Fallback  string           `json:"fallback,omitempty"`
	For       failover.Trigger `json:"for,omitempty"`
	TimeoutMS int64            `json:"timeout_ms"`
	Retries   int              `json:"retries"`
	Reason    string           `json:"reason"`
}

// explainRoute lists a route's deployments in the order in which they would be called now, and those passed over.
func (a *admin) explainRoute(c *gin.Context) {
	plan, known := a.cfg.Routes.Explain(c.Query("model"), failover.Ask{}, time.Now())
	if !known {
		a.fail(c, notFound("No such route."))
		return
	}
	candidates, excluded := []explained{}, []failover.Excluded{}
	for _, found := range plan.Candidates {
		candidates = append(candidates, explained{
			Deployment: found.Deployment, Provider: found.Provider, Model: found.Model, Fallback: found.Group, For: found.For,
			TimeoutMS: found.Timeout.Milliseconds(), Retries: found.Retries, Reason: found.Reason,
		})
	}
	c.JSON(http.StatusOK, gin.H{
		"object": "holdfast.route", "model": c.Query("model"), "candidates": candidates, "excluded": append(excluded, plan.Excluded...),
	})
}
