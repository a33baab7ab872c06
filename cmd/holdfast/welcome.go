//go:build !slim

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-dev/holdfast/simulator"
)

// welcome says where everything is, and what to type next. It shows no token: what a service writes is kept as its log.
func (u *upRun) welcome() error {
	at := u.where()
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("\nHoldfast is ready.\n")
	line("  API            %s   token in %s", at.API, u.shown(tokenFile))
	line("  Admin API      %s   token in %s", at.AdminAPI, u.shown(adminTokenFile))
	if at.WebUI != "" {
		line("  Temporal UI    %s", at.WebUI)
	}
	if at.Temporal != "" {
		line("  Temporal       %s", at.Temporal)
	}
	if u.postgres != nil {
		line("  PostgreSQL     127.0.0.1:%d   data in %s", u.postgres.Port, u.shownPath(u.postgresData))
	}
	if u.simulated != nil {
		for _, vendor := range simulator.DemoVendors() {
			line("  %-14s %s   simulated", vendor, u.simulated.BaseURL(vendor))
		}
	}
	line("\nTry it:\n")
	line("  curl -si %s/v1/chat/completions \\", at.API)
	line("    -H \"Authorization: Bearer $(cat %s)\" -H 'Content-Type: application/json' \\", u.shown(tokenFile))
	line("    -d '{\"model\": \"%s\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'", u.node.cfg.config.RouteNames()[0])
	if u.simulated != nil {
		line("\nThen fail the first provider for a minute, and ask again:\n")
		line("  %s simulate fault openai --status 503 --for 60s%s", invokedAs(), u.dataFlag())
	}
	line("")
	_, err := fmt.Fprint(u.out, text.String())
	return err
}

func (u *upRun) dataFlag() string {
	if u.opts.data == defaultDataDir {
		return ""
	}
	return " --data " + u.opts.data
}

// shown is a file of the data directory as a person would type it from here.
func (u *upRun) shown(name string) string { return u.shownPath(u.dir.file(name)) }

func (u *upRun) shownPath(path string) string {
	if here, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(relative, "..") {
			return relative
		}
	}
	return path
}
