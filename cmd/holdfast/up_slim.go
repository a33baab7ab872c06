//go:build slim

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newUpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "Run everything on this machine (not in this build)", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("this is the slim build, without an embedded Temporal server: run 'holdfast api' and 'holdfast worker' " +
				"against a Temporal cluster, or use the full build")
		},
	}
}
