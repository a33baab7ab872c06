//go:build !slim

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-dev/holdfast/standalone/managedpg"
)

const (
	postgresDir = "postgres"
	// postgresElsewhere is where a data directory's PostgreSQL files are when they cannot be inside it.
	postgresElsewhere = "/var/lib/holdfast"
	// postgresPathFile tells people where that is.
	postgresPathFile = "postgres-path"
)

// postgresData is the directory of the managed PostgreSQL's files: inside the data directory, or, when this process is root
// and the user that runs PostgreSQL could not enter it (a clone below /root, say), below /var/lib/holdfast.
func postgresData(d *dataDir) (string, error) {
	inside := d.file(postgresDir)
	if _, err := os.Stat(inside); err == nil {
		return inside, nil
	}
	blocked := managedpg.CheckReach(d.path)
	if blocked == nil {
		return inside, nil
	}
	if content, err := os.ReadFile(d.file(postgresPathFile)); err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	// A new place for each data directory: an emptied one begins anew.
	elsewhere := filepath.Join(postgresElsewhere, strings.ToLower(rand.Text()[:12]), postgresDir)
	if err := os.MkdirAll(filepath.Dir(elsewhere), 0o755); err != nil { //nolint:gosec // PostgreSQL's user passes through
		return "", errors.Join(blocked, err)
	}
	if err := writeFile(d.file(postgresPathFile), elsewhere+"\n", 0o600); err != nil {
		return "", fmt.Errorf("noting where PostgreSQL's files are: %w", err)
	}
	return elsewhere, nil
}
