package managedpg

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseMajor(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 18beta1\n":                        18,
		"postgres (PostgreSQL) 17.5 (Homebrew)\n":                17,
	} {
		got, err := parseMajor(out)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := parseMajor("mysqld 8.0")
	require.Error(t, err)
}

// fakeInstallation writes scripts that answer to --version.
func fakeInstallation(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"postgres", "initdb"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700))
	}
	return dir
}

func TestPGBINDecidesAlone(t *testing.T) {
	dir := fakeInstallation(t, "16.4")
	t.Setenv("PG_BIN", dir)
	found, err := findBinaries(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, installation{dir: dir, major: 16}, found)

	_, err = findBinaries(t.Context(), 15)
	var mismatch *versionError
	require.ErrorAs(t, err, &mismatch)

	t.Setenv("PG_BIN", t.TempDir())
	_, err = findBinaries(t.Context(), 0)
	require.ErrorContains(t, err, "PG_BIN=")

	t.Setenv("PG_BIN", fakeInstallation(t, "9.6"))
	_, err = findBinaries(t.Context(), 0)
	require.ErrorContains(t, err, "13 or newer is needed")
}

func TestPathComesBeforeTheKnownPlacesAndLinksAreFollowed(t *testing.T) {
	real, linked := fakeInstallation(t, "14.1"), t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(real, "postgres"), filepath.Join(linked, "postgres")))
	t.Setenv("PG_BIN", "")
	t.Setenv("PATH", linked)
	found, err := findBinaries(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, installation{dir: real, major: 14}, found)
}

func TestAFailedFetchLeavesNothingThatLooksInstalled(t *testing.T) {
	mirror := httptest.NewServer(http.NotFoundHandler())
	defer mirror.Close()
	t.Setenv("HOLDFAST_PG_MIRROR", mirror.URL)
	dir := filepath.Join(t.TempDir(), "pgbin")
	_, err := fetchBinaries(t.Context(), dir, 17)
	require.ErrorContains(t, err, "fetch PostgreSQL 17")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = fetchBinaries(canceled, dir, 17)
	require.Error(t, err)
}

// mirror serves, in the form of the public repository, a build whose programs are scripts that answer to --version.
func mirror(t *testing.T, fetches *atomic.Int32) *httptest.Server {
	t.Helper()
	build, err := os.ReadFile("testdata/build.txz")
	require.NoError(t, err)
	var jar bytes.Buffer
	archive := zip.NewWriter(&jar)
	entry, err := archive.Create("postgres.txz")
	require.NoError(t, err)
	_, err = entry.Write(build)
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			sum := sha256.Sum256(jar.Bytes())
			_, _ = w.Write([]byte(hex.EncodeToString(sum[:])))
			return
		}
		fetches.Add(1)
		_, _ = w.Write(jar.Bytes())
	}))
	t.Cleanup(server.Close)
	return server
}

func TestABuildIsFetchedOnce(t *testing.T) {
	var fetches atomic.Int32
	t.Setenv("HOLDFAST_PG_MIRROR", mirror(t, &fetches).URL)
	dir := filepath.Join(t.TempDir(), "pgbin")
	for range 2 {
		found, err := fetchBinaries(t.Context(), dir, 17)
		require.NoError(t, err)
		require.Equal(t, 17, found.major)
		require.True(t, strings.HasPrefix(found.dir, dir))
	}
	require.Equal(t, int32(1), fetches.Load())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "only the installation is left")
}
