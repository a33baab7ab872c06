package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnAdminTokenExpiresWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"30d": 30 * 24 * time.Hour, "12h": 12 * time.Hour} {
		_, got := run(t, `{"id":"adm_1","name":"ci","token":"hfadm_shown"}`, "admin-tokens", "create", "ci", "--scope", "keys:read", "--expires", text)
		var sent struct {
			ExpiresAt time.Time `json:"expires_at"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.body), &sent))
		require.WithinDuration(t, time.Now().Add(want), sent.ExpiresAt, time.Minute)
	}
}
