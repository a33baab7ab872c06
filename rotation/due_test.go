package rotation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/rotation"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return parsed
}

func TestWhenARotationIsDue(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	day := 24 * time.Hour
	in := func(text string) *time.Time { parsed := at(t, text); return &parsed }
	for _, c := range []struct {
		name   string
		policy rotation.Policy
		key    rotation.Key
		now    string
		due    bool
		reason string
	}{
		{"too young", rotation.Policy{Every: 30 * day}, rotation.Key{Since: at(t, "2026-03-01T00:00:00Z")}, "2026-03-30T23:59:59Z", false, "not due"},
		{"old enough", rotation.Policy{Every: 30 * day}, rotation.Key{Since: at(t, "2026-03-01T00:00:00Z")}, "2026-03-31T00:00:00Z", true, "in use since 2026-03-01"},
		{"long before its end", rotation.Policy{BeforeExpiry: 7 * day}, rotation.Key{ExpiresAt: in("2026-03-20T00:00:00Z")}, "2026-03-12T00:00:00Z", false, "not due"},
		{"near its end", rotation.Policy{BeforeExpiry: 7 * day}, rotation.Key{ExpiresAt: in("2026-03-20T00:00:00Z")}, "2026-03-13T00:00:00Z", true, "ends at 2026-03-20"},
		{"after its end", rotation.Policy{BeforeExpiry: 7 * day}, rotation.Key{ExpiresAt: in("2026-03-20T00:00:00Z")}, "2027-01-01T00:00:00Z", true, "ends at 2026-03-20"},
		{"its end is not known", rotation.Policy{BeforeExpiry: 7 * day}, rotation.Key{}, "2026-03-13T00:00:00Z", false, "not due"},
		{"before its hour", rotation.Policy{At: "0 3 1 * *", Zone: berlin}, rotation.Key{Since: at(t, "2026-03-10T00:00:00Z")}, "2026-04-01T00:59:59Z", false, "not due"},
		{"at its hour, in summer time", rotation.Policy{At: "0 3 1 * *", Zone: berlin}, rotation.Key{Since: at(t, "2026-03-10T00:00:00Z")}, "2026-04-01T01:00:00Z", true, "due at 2026-04-01T03:00:00+02:00"},
		{"at its hour, in winter time", rotation.Policy{At: "0 3 1 * *", Zone: berlin}, rotation.Key{Since: at(t, "2026-01-10T00:00:00Z")}, "2026-02-01T02:00:00Z", true, "due at 2026-02-01T03:00:00+01:00"},
		{"three windows were missed", rotation.Policy{At: "0 3 1 * *", Zone: berlin}, rotation.Key{Since: at(t, "2026-01-10T00:00:00Z")}, "2026-04-20T12:00:00Z", true, "due at 2026-02-01"},
		{"and once rotated, the next one is ahead", rotation.Policy{At: "0 3 1 * *", Zone: berlin}, rotation.Key{Since: at(t, "2026-04-20T12:00:05Z")}, "2026-04-20T12:00:06Z", false, "not due"},
		// On 29 March the clock of Berlin goes from 2:00 to 3:00: 2:30 is not, and 3:30 stands for it.
		{"in the hour that is left out", rotation.Policy{At: "30 2 29 3 *", Zone: berlin}, rotation.Key{Since: at(t, "2026-03-01T00:00:00Z")}, "2026-03-29T01:29:59Z", false, "not due"},
		{"after the hour that is left out", rotation.Policy{At: "30 2 29 3 *", Zone: berlin}, rotation.Key{Since: at(t, "2026-03-01T00:00:00Z")}, "2026-03-29T01:30:00Z", true, "due at 2026-03-29T03:30:00+02:00"},
		// On 25 October it goes from 3:00 back to 2:00: 2:30 is twice, and counts once.
		{"in the hour that comes twice", rotation.Policy{At: "30 2 * * *", Zone: berlin}, rotation.Key{Since: at(t, "2026-10-24T12:00:00Z")}, "2026-10-25T01:30:00Z", true, "due at 2026-10-25T02:30:00"},
		{"not again in the hour that comes twice", rotation.Policy{At: "30 2 * * *", Zone: berlin}, rotation.Key{Since: at(t, "2026-10-25T00:31:00Z")}, "2026-10-25T23:59:00Z", false, "not due"},
		{"disabled", rotation.Policy{Every: day}, rotation.Key{State: "disabled"}, "2026-03-30T00:00:00Z", false, "is disabled"},
		{"quarantined: all the more", rotation.Policy{Every: day}, rotation.Key{State: "quarantined"}, "2026-03-30T00:00:00Z", true, "in use since"},
		{"kept elsewhere", rotation.Policy{Every: day}, rotation.Key{Elsewhere: true}, "2026-03-30T00:00:00Z", false, "read from elsewhere"},
		{"under way", rotation.Policy{Every: day}, rotation.Key{Rotating: true}, "2026-03-30T00:00:00Z", false, "being rotated"},
		{"soon after a failure", rotation.Policy{Every: day}, rotation.Key{Failures: 1, Tried: in("2026-03-30T00:00:00Z")}, "2026-03-30T00:14:59Z", false, "came to nothing"},
		{"later after a failure", rotation.Policy{Every: day}, rotation.Key{Failures: 1, Tried: in("2026-03-30T00:00:00Z")}, "2026-03-30T00:15:00Z", true, "in use since"},
		{"after many failures", rotation.Policy{Every: day}, rotation.Key{Failures: 60, Tried: in("2026-03-30T00:00:00Z")}, "2026-03-30T12:00:00Z", true, "in use since"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.key.State == "" {
				c.key.State = "active"
			}
			reason, due := c.policy.Due(c.key, at(t, c.now))
			require.Equal(t, c.due, due, reason)
			require.Contains(t, reason, c.reason)
		})
	}
}

// Looked at every half minute for three years, with gaps, across six changes of the clock: each of the calendar's times is
// followed by one rotation, and by one only.
func TestEachTimeOfTheCalendarIsFollowedByOneRotation(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		policy := rotation.Policy{At: "30 2 * * *", Zone: zone}
		key := rotation.Key{State: "active", Since: time.Date(2026, 1, 1, 12, 0, 0, 0, zone)}
		days := map[string]int{}
		for now := key.Since; now.Before(key.Since.AddDate(3, 0, 0)) && now.Year() < 2029; now = now.Add(29 * time.Minute) {
			if _, due := policy.Due(key, now); due {
				key.Since = now
				days[now.In(zone).Format(time.DateOnly)]++
			}
		}
		for day, count := range days {
			require.Equal(t, 1, count, "%s %s", name, day)
		}
		require.GreaterOrEqual(t, len(days), 3*365-1, name)
	}
}

func TestTheShortestSpanBeforeItsEndCounts(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	spans := []time.Duration{30 * day, 7 * day, day}
	end := at(t, "2026-03-31T00:00:00Z")
	for now, want := range map[string]time.Duration{
		"2026-02-28T00:00:00Z": 0, "2026-03-01T00:00:00Z": 30 * day, "2026-03-24T00:00:00Z": 7 * day, "2026-03-30T00:00:01Z": day, "2026-05-01T00:00:00Z": day,
	} {
		require.Equal(t, want, rotation.Expiring(&end, spans, at(t, now)), now)
	}
	require.Zero(t, rotation.Expiring(nil, spans, end))
}

func TestACalendarIsFiveFieldsOfATimeThatComes(t *testing.T) {
	t.Parallel()
	require.NoError(t, rotation.ParseAt("0 3 1 * *"))
	require.NoError(t, rotation.ParseAt("30 2 29 2 *"))
	for _, wrong := range []string{"", "@every 1s", "@monthly", "CRON_TZ=UTC 0 3 1 * *", "0 0 31 2 *", "0 3 1 *", "61 3 1 * *"} {
		require.Error(t, rotation.ParseAt(wrong), wrong)
	}
}
