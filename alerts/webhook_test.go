package alerts_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/alerts"
)

func TestAWebhookIsToldOfWhatItAskedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		webhook  alerts.Webhook
		kind     alerts.Kind
		severity alerts.Severity
		takes    bool
		reason   string
	}{
		"all that comes":      {alerts.Webhook{}, alerts.KindKeyExpiring, alerts.Info, true, " is told of key_expiring that is info"},
		"its kind":            {alerts.Webhook{Name: "a", Kinds: []alerts.Kind{alerts.KindKeyRefused}}, alerts.KindKeyRefused, alerts.Info, true, "a is told of key_refused that is info"},
		"another kind":        {alerts.Webhook{Name: "a", Kinds: []alerts.Kind{alerts.KindKeyRefused}}, alerts.KindKeyExpiring, alerts.Critical, false, "a is not told of key_expiring"},
		"as much as it wants": {alerts.Webhook{Name: "a", MinSeverity: alerts.Warning}, alerts.KindKeyRefused, alerts.Warning, true, "a is told of key_refused that is warning"},
		"more than it wants":  {alerts.Webhook{Name: "a", MinSeverity: alerts.Warning}, alerts.KindKeyRefused, alerts.Critical, true, "a is told of key_refused that is critical"},
		"less than it wants":  {alerts.Webhook{Name: "a", MinSeverity: alerts.Warning}, alerts.KindKeyRefused, alerts.Info, false, "a is told of what is warning at least, and this is info"},
		"a test":              {alerts.Webhook{Kinds: []alerts.Kind{alerts.KindKeyRefused}, MinSeverity: alerts.Critical}, alerts.KindTest, alerts.Info, true, "a test goes to every webhook"},
	} {
		takes, reason := c.webhook.Takes(c.kind, c.severity)
		require.Equal(t, c.takes, takes, name)
		require.Equal(t, c.reason, reason, name)
	}
}
