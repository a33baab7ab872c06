package metrics_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/metrics"
)

// known is what there is to tell.
type known struct {
	keys               []metrics.Key
	raised, deliveries []alerts.Count
	err                error
}

func (k *known) KeyStates(context.Context) ([]metrics.Key, error) { return k.keys, k.err }

func (k *known) Counts(ctx context.Context) (raised, deliveries []alerts.Count, err error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return nil, nil, errors.New("it could last for ever")
	}
	return k.raised, k.deliveries, k.err
}

func TestAScrapeTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
	ends := now.Add(90 * time.Second)
	k := &known{
		keys:       []metrics.Key{{Provider: "openai", Name: "main", State: "active", ExpiresAt: &ends}, {Provider: "gemini", Name: "old", State: "disabled"}},
		raised:     []alerts.Count{{Name: "key_refused", Of: "critical", Count: 2}},
		deliveries: []alerts.Count{{Name: "slack", Of: "delivered", Count: 3}, {Name: "slack", Of: "failed", Count: 1}},
	}
	reachable := true
	collector := metrics.New(metrics.Config{Keys: k, Alerts: k, KeeperReachable: func() bool { return reachable }, Now: func() time.Time { return now }})
	require.NoError(t, testutil.CollectAndCompare(collector, strings.NewReader(`
# HELP holdfast_alert_deliveries_total Deliveries of alerts that were made, or given up.
# TYPE holdfast_alert_deliveries_total counter
holdfast_alert_deliveries_total{state="delivered",webhook="slack"} 3
holdfast_alert_deliveries_total{state="failed",webhook="slack"} 1
# HELP holdfast_alerts_raised_total Alerts raised.
# TYPE holdfast_alerts_raised_total counter
holdfast_alerts_raised_total{kind="key_refused",severity="critical"} 2
# HELP holdfast_keeper_reachable Whether the keeper of the vault has answered last.
# TYPE holdfast_keeper_reachable gauge
holdfast_keeper_reachable 1
# HELP holdfast_key_expires_in_seconds How long until a provider's key ends; negative when it has ended.
# TYPE holdfast_key_expires_in_seconds gauge
holdfast_key_expires_in_seconds{name="main",provider="openai"} 90
# HELP holdfast_key_info The state of a provider's key; always 1.
# TYPE holdfast_key_info gauge
holdfast_key_info{name="main",provider="openai",state="active"} 1
holdfast_key_info{name="old",provider="gemini",state="disabled"} 1
# HELP holdfast_metrics_source_up Whether the source of metrics has answered this scrape.
# TYPE holdfast_metrics_source_up gauge
holdfast_metrics_source_up{source="alerts"} 1
holdfast_metrics_source_up{source="keys"} 1
`)))
	problems, err := testutil.CollectAndLint(collector)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestASourceThatDoesNotAnswerTakesNoOtherAway(t *testing.T) {
	t.Parallel()
	broken := &known{err: errors.New("PostgreSQL is away")}
	handler := metrics.Handler(metrics.New(metrics.Config{Keys: &known{}, Alerts: broken}))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, recorder.Code)
	text := recorder.Body.String()
	require.Contains(t, text, `holdfast_metrics_source_up{source="alerts"} 0`)
	require.Contains(t, text, `holdfast_metrics_source_up{source="keys"} 1`)
	require.NotContains(t, text, "holdfast_keeper_reachable", "nothing is told of what is not known")
	require.NotContains(t, text, "PostgreSQL")
	require.Contains(t, text, "go_goroutines")
}
