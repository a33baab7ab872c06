// Package secretfile keeps a secret in a file that only its owner can read. A file that anybody else could have read is
// refused, not mended: its content must be taken as known.
package secretfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxBytes bounds a file: far more than any secret of ours.
const maxBytes = 16 << 10

// Load reads the secret at path. The error's chain holds [fs.ErrNotExist] when there is no file.
func Load(path string) (_ []byte, err error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read secret: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Mode().Perm()&^0o600 != 0:
		return nil, fmt.Errorf("%s has mode %04o, so others may have read it: replace what it holds if they could, then run chmod 600 on it",
			path, info.Mode().Perm())
	}
	content, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	if len(content) > maxBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxBytes)
	}
	return content, nil
}

// LoadOrCreate reads the secret at path, or puts what generate makes there first. Of any number of processes that do so at
// once, one creates the file, whole and on disk, and all return its content.
func LoadOrCreate(path string, generate func() ([]byte, error)) ([]byte, error) {
	content, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if content, err = generate(); err != nil {
		return nil, err
	}
	if err := create(path, content); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create secret: %w", err)
	}
	return Load(path)
}

// create writes a file beside path and links it there, which fails if path has come to exist.
func create(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err //nolint:wrapcheck // the caller says what was tried
	}
	file, err := os.CreateTemp(dir, filepath.Base(path)+".new-") // mode 0600
	if err != nil {
		return err //nolint:wrapcheck // the caller says what was tried
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err //nolint:wrapcheck // the caller says what was tried
	}
	return syncDir(dir)
}

// syncDir makes the file's name last, too: losing the only copy of a vault's key loses the vault.
func syncDir(dir string) error {
	handle, err := os.Open(dir) //nolint:gosec // the operator names the directory
	if err != nil {
		return err //nolint:wrapcheck // the caller says what was tried
	}
	return errors.Join(handle.Sync(), handle.Close())
}
