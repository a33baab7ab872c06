package access_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/access"
)

func TestTheAdminTokenIsMadeOnceAndMatchesItselfOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "admin.token")
	token, err := access.LoadAdminToken(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	again, err := access.LoadAdminToken(path)
	require.NoError(t, err)
	other, err := access.LoadAdminToken(filepath.Join(t.TempDir(), "admin.token"))
	require.NoError(t, err)

	secret := token.Secret().Reveal()
	require.True(t, again.Matches(secret))
	require.True(t, strings.HasPrefix(secret, "hfadm_"))
	for _, wrong := range []string{"", secret[:len(secret)-1], secret + "x", strings.ToLower(secret), other.Secret().Reveal()} {
		require.False(t, token.Matches(wrong))
	}
	require.False(t, access.AdminToken{}.Matches(""))
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", token, token, token), secret[6:])

	_, err = access.NewStore(nil, nil).Verify(t.Context(), secret)
	require.ErrorIs(t, err, access.ErrInvalid, "the admin token is no API token")
}

func TestAnAdminTokenThatOthersMayKnowIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "admin.token")
	_, err := access.LoadAdminToken(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o644))
	_, err = access.LoadAdminToken(path)
	require.ErrorContains(t, err, "chmod 600")

	for _, content := range []string{"", "CANARY", "hfadm_" + strings.Repeat("a", 49)} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.NoError(t, os.Chmod(path, 0o600))
		_, err = access.LoadAdminToken(path)
		require.ErrorContains(t, err, "does not hold one")
		require.NotContains(t, err.Error(), "CANARY")
	}
}
