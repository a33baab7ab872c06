package api

import "github.com/holdfast-dev/holdfast/failover"

// planRecord is who would be called for a request, in order, and who is passed over, each with the reason.
type planRecord struct {
	Candidates []planned           `json:"candidates"`
	Excluded   []failover.Excluded `json:"excluded"`
}

// planned is a deployment that would be called, in its place.
type planned struct {
	Deployment string `json:"deployment"`
	Provider   string `json:"provider"`
	Model      string `json:"model"`
	// Fallback is the route that the deployment belongs to, if it is not the one asked for; For, what must have happened.
	Fallback  string           `json:"fallback,omitempty"`
	For       failover.Trigger `json:"for,omitempty"`
	Degraded  bool             `json:"degraded,omitempty"`
	TimeoutMS int64            `json:"timeout_ms"`
	Retries   int              `json:"retries"`
	Reason    string           `json:"reason"`
}

func planOf(plan failover.Plan) planRecord {
	record := planRecord{Candidates: []planned{}, Excluded: append([]failover.Excluded{}, plan.Excluded...)}
	for _, found := range plan.Candidates {
		record.Candidates = append(record.Candidates, planned{
			Deployment: found.Deployment, Provider: found.Provider, Model: found.Model, Fallback: found.Group, For: found.For,
			Degraded: found.Degraded, TimeoutMS: found.Timeout.Milliseconds(), Retries: found.Retries, Reason: found.Reason,
		})
	}
	return record
}
