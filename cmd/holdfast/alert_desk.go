package main

import (
	"context"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/activities"
	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/alerts/webhook"
	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/llm"
)

// alertDesk joins the alerts and the webhooks for the activities, which know neither database nor addresses.
type alertDesk struct {
	store    *alerts.Store
	webhooks []alerts.Webhook
	sender   *webhook.Sender
}

func newAlertDesk(store *alerts.Store, settings config.Alerts, vault *keys.Vault) *alertDesk {
	desk := &alertDesk{store: store}
	endpoints := make([]webhook.Endpoint, len(settings.Webhooks))
	for i, w := range settings.Webhooks {
		desk.webhooks = append(desk.webhooks, alerts.Webhook{Name: w.Name, Kinds: w.Kinds, MinSeverity: w.MinSeverity})
		endpoints[i] = webhook.Endpoint{Name: w.Name, URL: w.URL, Key: w.Key, Secret: w.Secret, Format: w.Format}
	}
	desk.sender = webhook.NewSender(endpoints, vaultSecrets{vault}, time.Now)
	return desk
}

// longestSummary is how many bytes of an alert's title Temporal is told, which takes 400 in all.
const longestSummary = 300

func (d *alertDesk) Undelivered(ctx context.Context, since time.Time) ([]activities.AlertTarget, error) {
	pending, err := d.store.Undelivered(ctx, d.webhooks, since)
	targets := make([]activities.AlertTarget, len(pending))
	for i, p := range pending {
		summary := p.Alert.Subject + ": " + p.Alert.Title
		summary = strings.ToValidUTF8(summary[:min(len(summary), longestSummary)], "")
		targets[i] = activities.AlertTarget{Alert: p.Alert.ID, Webhook: p.Webhook, Summary: summary}
	}
	return targets, err
}

func (d *alertDesk) Settled(ctx context.Context, target activities.AlertTarget) (bool, error) {
	return d.store.Settled(ctx, target.Alert, target.Webhook)
}

func (d *alertDesk) Tell(ctx context.Context, target activities.AlertTarget) error {
	alert, err := d.store.Alert(ctx, target.Alert)
	if err != nil {
		return err
	}
	return d.sender.Send(ctx, target.Webhook, alert)
}

func (d *alertDesk) Settle(ctx context.Context, delivery activities.AlertDelivery) error {
	if delivery.Error != "" {
		return d.store.Failed(ctx, delivery.Alert, delivery.Webhook, delivery.Attempts, delivery.Error)
	}
	return d.store.Delivered(ctx, delivery.Alert, delivery.Webhook, delivery.Attempts)
}

// names are the webhooks', in the order of the configuration.
func (d *alertDesk) names() []string {
	names := make([]string, len(d.webhooks))
	for i, w := range d.webhooks {
		names[i] = w.Name
	}
	return names
}

// vaultSecrets gives keys of the vault by their names.
type vaultSecrets struct{ vault *keys.Vault }

func (v vaultSecrets) Secret(provider, name string) (llm.Secret, bool) {
	for _, key := range v.vault.Keys(provider) {
		if key.Name == name {
			return key.Secret, true
		}
	}
	return "", false
}
