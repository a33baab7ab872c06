package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

const defaultDataDir = ".holdfast"

// dataDir is an instance's directory: its databases, its secrets, and where to reach it.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory if needed and takes it for this process alone.
func openDataDir(path string) (*dataDir, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Others may pass through, for PostgreSQL may run as another user; what is secret inside has a mode of its own.
	if err := os.MkdirAll(absolute, 0o755); err != nil { //nolint:gosec // see above
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(absolute, "lock"), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another holdfast is running on %s; choose another directory with --data", absolute)
		}
		return nil, fmt.Errorf("locking %s: %w", absolute, err)
	}
	return &dataDir{path: absolute, lock: lock}, nil
}

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

func (d *dataDir) close() {
	_ = os.Remove(d.file(instanceFile))
	_ = d.lock.Close()
}

// node is this directory's stable name among the processes that share a database.
func (d *dataDir) node() (string, error) {
	path := d.file("node")
	content, err := os.ReadFile(path) //nolint:gosec // inside the data directory
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	name := "n-" + strings.ToLower(rand.Text()[:10])
	return name, writeFile(path, name+"\n", 0o600)
}

func writeFile(path, content string, mode os.FileMode) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(content), mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

const instanceFile = "instance.json"

// instance says where a running instance is.
type instance struct {
	PID      int    `json:"pid"`
	API      string `json:"api"`
	AdminAPI string `json:"admin_api"`
	WebUI    string `json:"web_ui,omitempty"`
	Temporal string `json:"temporal,omitempty"`
}

func (d *dataDir) announce(i instance) error {
	content, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(d.file(instanceFile), string(content)+"\n", 0o644)
}

// findAdmin finds the running instance's admin API and the token for it: by HOLDFAST_ADMIN_URL and
// HOLDFAST_ADMIN_TOKEN_FILE, or in the directory that --data names.
func findAdmin(cmd *cobra.Command) (baseURL, token string, err error) {
	data, err := cmd.Flags().GetString("data")
	if err != nil {
		return "", "", err
	}
	baseURL, tokenFile := os.Getenv("HOLDFAST_ADMIN_URL"), os.Getenv("HOLDFAST_ADMIN_TOKEN_FILE")
	if baseURL == "" {
		content, err := os.ReadFile(filepath.Join(data, instanceFile)) //nolint:gosec // the operator names it
		if err != nil {
			return "", "", fmt.Errorf("no instance is running on %s: start one with 'holdfast up', name its directory with --data, "+
				"or set HOLDFAST_ADMIN_URL and HOLDFAST_ADMIN_TOKEN_FILE", data)
		}
		var found instance
		if err := json.Unmarshal(content, &found); err != nil {
			return "", "", fmt.Errorf("%s: %w", filepath.Join(data, instanceFile), err)
		}
		baseURL = found.AdminAPI
	}
	if tokenFile == "" {
		tokenFile = filepath.Join(data, adminTokenFile)
	}
	content, err := os.ReadFile(tokenFile) //nolint:gosec // the operator names it
	if err != nil {
		return "", "", fmt.Errorf("reading the admin token: %w", err)
	}
	return strings.TrimSuffix(baseURL, "/"), strings.TrimSpace(string(content)), nil
}

// invokedAs is this binary as a person would type it again.
func invokedAs() string {
	if strings.Contains(os.Args[0], "/") {
		return os.Args[0]
	}
	return "holdfast"
}

const (
	adminTokenFile = "admin-token"
	tokenFile      = "token"
)
