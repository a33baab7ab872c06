//go:build slim

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// newTemporalCommand says what this build lacks: production images do not carry the Temporal server.
func newTemporalCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "temporal",
		Short: "Run only the embedded Temporal server (not in this build)",
		Args:  cobra.ArbitraryArgs,
		// Whatever the flags are, the answer is the same.
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("this slim build has no embedded Temporal server: use the full build, or set TEMPORAL_ADDRESS to a cluster")
		},
	}
}
