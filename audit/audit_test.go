package audit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/internal/pgtest"
)

func TestWhatIsChangedIsWrittenDownWithItsActor(t *testing.T) {
	t.Parallel()
	log, ctx := audit.NewLog(pgtest.New(t)), t.Context()
	require.NoError(t, log.Record(ctx, audit.Event{Action: "key.set", Subject: "openai/main", Reason: "first"}))
	ann := audit.WithActor(ctx, "token:ann")
	require.NoError(t, log.Record(ann, audit.Event{
		Action: "key.disable", Subject: "openai/main", Before: audit.Describe(map[string]string{"state": "active"}), After: audit.Describe(map[string]string{"state": "disabled"}),
	}))
	require.NoError(t, log.Record(ann, audit.Event{Actor: "root", Action: "key.set", Subject: "gemini/main"}))

	subjects := func(filter audit.Filter) (list []string) {
		filter.Limit = max(filter.Limit, 1)
		events, err := log.List(ctx, filter)
		require.NoError(t, err)
		for _, event := range events {
			require.Positive(t, event.ID)
			require.False(t, event.At.IsZero())
			list = append(list, event.Actor+" "+event.Action+" "+event.Subject)
		}
		return list
	}
	require.Equal(t, []string{"root key.set gemini/main", "token:ann key.disable openai/main", "holdfast key.set openai/main"}, subjects(audit.Filter{Limit: 9}))
	require.Equal(t, []string{"token:ann key.disable openai/main", "holdfast key.set openai/main"}, subjects(audit.Filter{Subject: "openai/main", Limit: 9}))
	require.Equal(t, []string{"token:ann key.disable openai/main"}, subjects(audit.Filter{Actor: "token:ann", Limit: 9}))
	require.Equal(t, []string{"root key.set gemini/main"}, subjects(audit.Filter{Action: "key.set"}))

	events, err := log.List(ctx, audit.Filter{Action: "key.disable", Limit: 1})
	require.NoError(t, err)
	require.JSONEq(t, `{"state":"active"}`, string(events[0].Before))
	require.JSONEq(t, `{"state":"disabled"}`, string(events[0].After))
	require.Equal(t, []string{"holdfast key.set openai/main"}, subjects(audit.Filter{Before: events[0].ID, Limit: 9}))
}

func TestAnEventStandsWithItsChangeOrNotAtAll(t *testing.T) {
	t.Parallel()
	pool, ctx := pgtest.New(t), t.Context()
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, audit.Record(ctx, tx, audit.Event{Action: "key.set", Subject: "openai/main"}))
	require.NoError(t, tx.Rollback(ctx))
	events, err := audit.List(ctx, pool, audit.Filter{Limit: 1})
	require.NoError(t, err)
	require.Empty(t, events)
}
