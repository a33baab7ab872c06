package alerts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
)

// kept is a store with its database.
func kept(t *testing.T) (*alerts.Store, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.New(t)
	return alerts.NewStore(pool), pool
}

func raise(t *testing.T, pool *pgxpool.Pool, dedupe string, kind alerts.Kind, severity alerts.Severity) bool {
	t.Helper()
	raised, err := alerts.Raise(t.Context(), pool, alerts.Alert{Dedupe: dedupe, Kind: kind, Severity: severity, Subject: "openai/main", Title: dedupe, Text: "x"})
	require.NoError(t, err)
	return raised
}

// titles are what is pending, as webhook and title.
func titles(pending []alerts.Pending) []string {
	list := []string{}
	for _, p := range pending {
		list = append(list, p.Webhook+" "+p.Alert.Title)
	}
	return list
}

func TestAnAlertIsRaisedOnce(t *testing.T) {
	t.Parallel()
	store, pool := kept(t)
	require.True(t, raise(t, pool, "expires 7d", alerts.KindKeyExpiring, alerts.Warning))
	require.False(t, raise(t, pool, "expires 7d", alerts.KindKeyExpiring, alerts.Critical))
	list, err := store.List(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, alerts.Warning, list[0].Severity)
	require.Empty(t, list[0].Deliveries)
	found, err := store.Alert(t.Context(), list[0].ID)
	require.NoError(t, err)
	require.Equal(t, list[0].Alert, found)
	_, err = store.Alert(t.Context(), "alert_none")
	require.ErrorIs(t, err, alerts.ErrNotFound)
}

func TestWhatAWebhookDoesNotHaveIsUndelivered(t *testing.T) {
	t.Parallel()
	store, pool := kept(t)
	ctx, since := t.Context(), time.Now().Add(-time.Hour)
	webhooks := []alerts.Webhook{{Name: "all"}, {Name: "bad", MinSeverity: alerts.Critical}}
	raise(t, pool, "refused", alerts.KindKeyRefused, alerts.Critical)
	raise(t, pool, "expires", alerts.KindKeyExpiring, alerts.Info)
	raise(t, pool, "long ago", alerts.KindKeyExpiring, alerts.Critical)
	_, err := pool.Exec(ctx, `UPDATE alerts SET raised_at = raised_at - interval '2 hours' WHERE dedupe = 'long ago'`)
	require.NoError(t, err)

	pending, err := store.Undelivered(ctx, webhooks, since)
	require.NoError(t, err)
	require.Equal(t, []string{"all refused", "all expires", "bad refused"}, titles(pending))

	refused := pending[0].Alert.ID
	settled, err := store.Settled(ctx, refused, "all")
	require.NoError(t, err)
	require.False(t, settled)
	require.NoError(t, store.Failed(ctx, refused, "bad", 40, "webhook bad answered 503"))
	require.NoError(t, store.Delivered(ctx, refused, "all", 3))
	require.NoError(t, store.Failed(ctx, refused, "all", 9, "too late"), "what is delivered stays so")
	settled, err = store.Settled(ctx, refused, "all")
	require.NoError(t, err)
	require.True(t, settled)
	pending, err = store.Undelivered(ctx, webhooks, since)
	require.NoError(t, err)
	require.Equal(t, []string{"all expires"}, titles(pending))

	list, err := store.List(ctx, 2)
	require.NoError(t, err)
	require.Equal(t, "refused", list[1].Title)
	for i := range list[1].Deliveries {
		list[1].Deliveries[i].At = time.Time{}
	}
	require.Equal(t, []alerts.Delivery{
		{Webhook: "all", State: alerts.Delivered, Attempts: 3}, {Webhook: "bad", State: alerts.Failed, Attempts: 40, Error: "webhook bad answered 503"},
	}, list[1].Deliveries)

	raised, deliveries, err := store.Counts(ctx)
	require.NoError(t, err)
	require.Equal(t, []alerts.Count{
		{Name: "key_expiring", Of: "critical", Count: 1}, {Name: "key_expiring", Of: "info", Count: 1}, {Name: "key_refused", Of: "critical", Count: 1},
	}, raised)
	require.Equal(t, []alerts.Count{{Name: "all", Of: "delivered", Count: 1}, {Name: "bad", Of: "failed", Count: 1}}, deliveries)
}

func TestADeadWebhookHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	store, pool := kept(t)
	for i := range 120 {
		raise(t, pool, fmt.Sprint(i), alerts.KindKeyExpiring, alerts.Info)
	}
	raise(t, pool, "last", alerts.KindKeyRefused, alerts.Critical)
	pending, err := store.Undelivered(t.Context(), []alerts.Webhook{{Name: "dead"}, {Name: "bad", Kinds: []alerts.Kind{alerts.KindKeyRefused}}}, time.Time{})
	require.NoError(t, err)
	require.Len(t, pending, 101)
	require.Equal(t, "bad last", titles(pending)[100])
}

func TestEachTestIsAnAlertOfItsOwn(t *testing.T) {
	t.Parallel()
	store, _ := kept(t)
	first, err := store.RaiseTest(t.Context(), "token:ci")
	require.NoError(t, err)
	second, err := store.RaiseTest(t.Context(), "root")
	require.NoError(t, err)
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, alerts.KindTest, first.Kind)
	require.Contains(t, first.Text, "token:ci")
}
