package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/simulator"
)

func newSimulateLimitCommand() *cobra.Command {
	var (
		control string
		limit   simulator.Limit
		off     bool
	)
	cmd := &cobra.Command{
		Use:   "limit [VENDOR]",
		Short: "Limit what a simulated vendor takes in a minute, or list the limits",
		Long: `Limit how many requests and tokens a simulated vendor takes in a minute. What is more is answered 429, as the vendor does it, and
every answer tells what is left in the vendor's own headers: Holdfast learns from them, and stops before the limit does.
Without a vendor, list the limits, and how many calls each has let through and refused.`,
		Example: `  # sixty requests a minute, in a burst at first and then one a second
  holdfast simulate limit openai --rpm 60
  holdfast simulate limit anthropic --rpm 50 --tpm 20000
  holdfast simulate limit
  holdfast simulate limit openai --off`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: vendorNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := simulatorClient(cmd, control)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				limits, err := client.Limits(cmd.Context())
				if err != nil {
					return fmt.Errorf("list the limits: %w", err)
				}
				return printLimits(cmd.OutOrStdout(), limits)
			}
			vendor, err := simulator.ParseVendor(args[0])
			if err != nil {
				return err
			}
			if !off && limit == (simulator.Limit{}) {
				return fmt.Errorf("give --rpm, --tpm or --off: %w", errUsage)
			}
			if err := client.SetLimit(cmd.Context(), vendor, limit); err != nil {
				return fmt.Errorf("set the limit: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s takes %s\n", vendor, limitInWords(limit))
			return err
		},
	}
	cmd.Flags().Int64Var(&limit.RequestsPerMinute, "rpm", 0, "requests a minute (0: no limit)")
	cmd.Flags().Int64Var(&limit.TokensPerMinute, "tpm", 0, "tokens a minute (0: no limit)")
	cmd.Flags().BoolVar(&off, "off", false, "take the limits away")
	cmd.MarkFlagsMutuallyExclusive("off", "rpm")
	cmd.MarkFlagsMutuallyExclusive("off", "tpm")
	addControlFlag(cmd, &control)
	return cmd
}

func limitInWords(limit simulator.Limit) string {
	switch {
	case limit == simulator.Limit{}:
		return "all that comes"
	case limit.TokensPerMinute == 0:
		return fmt.Sprintf("%d requests a minute", limit.RequestsPerMinute)
	case limit.RequestsPerMinute == 0:
		return fmt.Sprintf("%d tokens a minute", limit.TokensPerMinute)
	default:
		return fmt.Sprintf("%d requests and %d tokens a minute", limit.RequestsPerMinute, limit.TokensPerMinute)
	}
}

func printLimits(out io.Writer, limits map[simulator.Vendor]simulator.LimitState) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VENDOR\tREQUESTS/MIN\tTOKENS/MIN\tLET THROUGH\tREFUSED")
	for _, vendor := range simulator.Vendors() {
		limit := limits[vendor]
		if limit == (simulator.LimitState{}) && !slices.Contains(simulator.DemoVendors(), vendor) {
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\n", vendor, orUnlimited(limit.RequestsPerMinute), orUnlimited(limit.TokensPerMinute), limit.Accepted, limit.Refused)
	}
	return table.Flush()
}

func orUnlimited(n int64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}
