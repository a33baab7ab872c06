package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

// ErrTypeNotTold is the type of error for a webhook that did not take an alert. Its detail is the number of the attempt.
const ErrTypeNotTold = "not_told"

// alertsSince is how far back alerts are delivered: longer than any outage should last. A webhook that is new is told of as much.
const alertsSince = 72 * time.Hour

// AlertTarget is an alert, by its id, and a webhook that is to be told of it.
type AlertTarget struct {
	Alert   string `json:"alert"`
	Webhook string `json:"webhook"`
	// Summary is a line for whoever reads of the delivery in the Web UI.
	Summary string `json:"summary"`
}

// AlertDelivery is what came of telling a webhook. Error is empty if it has the alert.
type AlertDelivery struct {
	AlertTarget
	Attempts int    `json:"attempts"`
	Error    string `json:"error,omitempty"`
}

// AlertDesk has the alerts and reaches the webhooks. Its errors name no address.
type AlertDesk interface {
	// Undelivered are the alerts raised since then with the webhooks that do not have them.
	Undelivered(ctx context.Context, since time.Time) ([]AlertTarget, error)
	// Settled says whether the webhook has the alert, or was given up.
	Settled(ctx context.Context, target AlertTarget) (bool, error)
	// Tell tells the webhook, once.
	Tell(ctx context.Context, target AlertTarget) error
	// Settle writes down what came of it.
	Settle(ctx context.Context, delivery AlertDelivery) error
}

// AlertsConfig is what the activities of alerts need. Logger and Now may be nil.
type AlertsConfig struct {
	Desk   AlertDesk
	Logger *slog.Logger
	Now    func() time.Time
}

// Alerts are the activities that tell webhooks of alerts. Register the struct with a worker.
type Alerts struct{ cfg AlertsConfig }

// NewAlerts makes the activities.
func NewAlerts(cfg AlertsConfig) (*Alerts, error) {
	if cfg.Desk == nil {
		return nil, errors.New("activities: a desk of alerts is required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Alerts{cfg}, nil
}

// UndeliveredAlerts lists what webhooks do not have yet.
func (a *Alerts) UndeliveredAlerts(ctx context.Context) ([]AlertTarget, error) {
	targets, err := a.cfg.Desk.Undelivered(ctx, a.cfg.Now().Add(-alertsSince))
	return targets, storeError(err)
}

// DeliverAlert tells one webhook, and says at which attempt it took the alert. What another run has delivered, or given up,
// meanwhile is not sent again.
func (a *Alerts) DeliverAlert(ctx context.Context, target AlertTarget) (attempts int, err error) {
	settled, err := a.cfg.Desk.Settled(ctx, target)
	if err != nil {
		return 0, storeError(err)
	}
	if settled {
		return 0, nil
	}
	attempt := int(activity.GetInfo(ctx).Attempt)
	if err := a.cfg.Desk.Tell(ctx, target); err != nil {
		a.cfg.Logger.WarnContext(ctx, "alert not delivered", "alert", target.Alert, "webhook", target.Webhook, "attempt", attempt, "error", err)
		return 0, temporal.NewApplicationErrorWithOptions(err.Error(), ErrTypeNotTold, temporal.ApplicationErrorOptions{Details: []any{attempt}})
	}
	return attempt, nil
}

// SettleAlert writes down what came of a delivery.
func (a *Alerts) SettleAlert(ctx context.Context, delivery AlertDelivery) error {
	if err := a.cfg.Desk.Settle(ctx, delivery); err != nil {
		return storeError(err)
	}
	if delivery.Error != "" {
		a.cfg.Logger.ErrorContext(ctx, "alert given up", "alert", delivery.Alert, "webhook", delivery.Webhook, "attempts", delivery.Attempts, "error", delivery.Error)
	} else {
		a.cfg.Logger.InfoContext(ctx, "alert delivered", "alert", delivery.Alert, "webhook", delivery.Webhook, "attempts", delivery.Attempts)
	}
	return nil
}
