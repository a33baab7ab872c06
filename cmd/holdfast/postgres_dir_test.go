//go:build !slim

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPostgresStaysInsideADataDirectoryThatItCanEnter(t *testing.T) {
	t.Parallel()
	parent, err := os.MkdirTemp("", "holdfast-test-") //nolint:usetesting // its mode matters
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	require.NoError(t, os.Chmod(parent, 0o755))
	dir, err := openDataDir(filepath.Join(parent, "data"))
	require.NoError(t, err)
	defer dir.close()
	path, err := postgresData(dir)
	require.NoError(t, err)
	require.Equal(t, dir.file("postgres"), path)
}

func TestPostgresGoesElsewhereWhenItsUserCannotEnter(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root hands over to another user")
	}
	parent, err := os.MkdirTemp("", "holdfast-test-") //nolint:usetesting // its mode matters
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	require.NoError(t, os.Chmod(parent, 0o700))
	dir, err := openDataDir(filepath.Join(parent, "data"))
	require.NoError(t, err)
	defer dir.close()
	path, err := postgresData(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(path)) })
	require.Contains(t, path, postgresElsewhere)
	again, err := postgresData(dir)
	require.NoError(t, err)
	require.Equal(t, path, again, "the next start finds the same data")
}
