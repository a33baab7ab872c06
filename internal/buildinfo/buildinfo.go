package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the release's version; release builds set it by -ldflags "-X …/internal/buildinfo.Version=v1.2.3".
var Version = "" //nolint:gochecknoglobals // the linker sets it

// String is one line for people: version, commit, Go version.
func String() string {
	version, commit := Version, "unknown commit"
	if info, ok := debug.ReadBuildInfo(); ok {
		if version == "" {
			version = info.Main.Version
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				commit = setting.Value[:min(12, len(setting.Value))]
			}
		}
	}
	if version == "" || version == "(devel)" {
		version = "development"
	}
	return fmt.Sprintf("holdfast %s (%s, %s)", version, commit, runtime.Version())
}
