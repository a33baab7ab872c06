package main

import (
	"context"
	"net/http"

	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/metrics"
)

// metrics is what Prometheus is told.
func (n *node) metrics() http.Handler {
	return metrics.Handler(metrics.New(metrics.Config{Keys: keyStates{n.vault}, Alerts: n.alerts.store, KeeperReachable: n.vault.KeeperReachable, Logger: n.cfg.logger}))
}

// keyStates tells of the vault's keys.
type keyStates struct{ vault *keys.Vault }

func (k keyStates) KeyStates(ctx context.Context) ([]metrics.Key, error) {
	infos, err := k.vault.List(ctx)
	states := make([]metrics.Key, len(infos))
	for i, info := range infos {
		states[i] = metrics.Key{Provider: info.Provider, Name: info.Name, State: string(info.State), ExpiresAt: info.ExpiresAt}
	}
	return states, err
}
