package secretfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/keys/secretfile"
)

func TestCreatesOnceAndThenLoads(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "secret")
	made := 0
	generate := func() ([]byte, error) { made++; return fmt.Appendf(nil, "secret %d", made), nil }
	for range 2 {
		content, err := secretfile.LoadOrCreate(path, generate)
		require.NoError(t, err)
		require.Equal(t, "secret 1", string(content))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "a temporary file is left")
}

func TestOfManyCreatorsOneWins(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	var group sync.WaitGroup
	contents := make([]string, 16)
	for i := range contents {
		group.Go(func() {
			content, err := secretfile.LoadOrCreate(path, func() ([]byte, error) { return fmt.Appendf(nil, "%d", i), nil })
			if err == nil {
				contents[i] = string(content)
			}
		})
	}
	group.Wait()
	require.NotEmpty(t, contents[0])
	for _, content := range contents {
		require.Equal(t, contents[0], content)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	never := func() ([]byte, error) { return nil, errors.New("not to be called") }
	write := func(t *testing.T, content string, mode fs.FileMode) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o644, 0o700, 0o666} {
		_, err := secretfile.LoadOrCreate(write(t, "CANARY", mode), never)
		require.ErrorContains(t, err, "chmod 600", "%04o", mode)
		require.NotContains(t, err.Error(), "CANARY")
	}
	content, err := secretfile.Load(write(t, "fine", 0o400))
	require.NoError(t, err)
	require.Equal(t, "fine", string(content))

	_, err = secretfile.Load(write(t, strings.Repeat("x", 17<<10), 0o600))
	require.ErrorContains(t, err, "larger")
	_, err = secretfile.Load(t.TempDir())
	require.ErrorContains(t, err, "regular")
	_, err = secretfile.Load(filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = secretfile.LoadOrCreate(filepath.Join(t.TempDir(), "absent"), never)
	require.ErrorContains(t, err, "not to be called")
}
