package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/bench"
)

// newBenchCommand is "holdfast bench", with the hidden commands that are the parts of it which need processes of their own.
func newBenchCommand() *cobra.Command {
	opts := bench.Defaults()
	var quick bool
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure what a completion costs on this machine, beside what bounds it", Args: cobra.NoArgs,
		Long: `Measure Holdfast on this machine, in one run with the floors that bound it: the provider called directly, a plain proxy, a
proxy that writes one row, and bare workflows on the same Temporal server. Then a second section keeps many calls in flight
that last ten seconds each, a third streams the answers: what the first word waits for, what an event costs and how late it
comes, what an open stream holds; a fourth has a part of a vendor's calls fail: what a failover takes, and what is left of
the throughput; and a fifth goes on with conversations of 10 to 10,000 turns. Last comes a table of the numbers that the project holds itself to.

It starts an instance of its own on free ports, with its data in a temporary directory, and removes both in the end. A full
run takes about twenty minutes. Nothing else should run on the machine meanwhile; each line says how much did.`,
		Example: `  holdfast bench
  holdfast bench --quick
  holdfast bench --sections streams --streams 64
  holdfast bench --sections failover
  holdfast bench --sections short --clients 1,16 --duration 20s --json numbers.json`,
	}
	flags := cmd.Flags()
	flags.BoolVar(&quick, "quick", false, "a look at it in five minutes: fewer and shorter measurements; other flags win")
	flags.StringVar(&opts.JSON, "json", "", "file to write all the numbers to")
	flags.StringSliceVar(&opts.Sections, "sections", opts.Sections, "what to run: short, long, streams, failover, conversations")
	flags.IntSliceVar(&opts.Clients, "clients", opts.Clients, "numbers of clients of the short section")
	flags.DurationSliceVar(&opts.Latencies, "latencies", opts.Latencies, "how long the simulated provider takes in the short section")
	flags.DurationVar(&opts.Window, "duration", opts.Window, "how long each measurement of the short, the streams and the failover section counts")
	flags.DurationVar(&opts.Warm, "warm-up", opts.Warm, "how long it runs before that")
	flags.IntSliceVar(&opts.InFlight, "in-flight", opts.InFlight, "numbers of calls in flight of the long section")
	flags.DurationVar(&opts.LongLatency, "long-latency", opts.LongLatency, "how long the provider takes in the long section")
	flags.DurationVar(&opts.LongWindow, "long-duration", opts.LongWindow, "how long each measurement of the long section counts")
	flags.IntSliceVar(&opts.Streams, "streams", opts.Streams, "numbers of streams at once of the streams section")
	flags.IntVar(&opts.OpenStreams, "open-streams", opts.OpenStreams, "how many slow streams to keep open in the streams section")
	flags.StringVar(&opts.Dir, "dir", "", "where the instance's data goes: the disk to measure (default: the system's temporary directory)")
	flags.StringVar(&opts.Subject, "binary", "", "measure this build of holdfast in place of the running one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if quick {
			given := opts
			opts = opts.Quick()
			for name, restore := range map[string]func(){
				"clients":       func() { opts.Clients = given.Clients },
				"latencies":     func() { opts.Latencies = given.Latencies },
				"duration":      func() { opts.Window = given.Window },
				"warm-up":       func() { opts.Warm = given.Warm },
				"in-flight":     func() { opts.InFlight = given.InFlight },
				"long-latency":  func() { opts.LongLatency = given.LongLatency },
				"long-duration": func() { opts.LongWindow = given.LongWindow },
				"streams":       func() { opts.Streams = given.Streams },
				"open-streams":  func() { opts.OpenStreams = given.OpenStreams },
			} {
				if cmd.Flags().Changed(name) {
					restore()
				}
			}
		}
		if opts.Program, err = os.Executable(); err != nil {
			return err
		}
		return bench.Run(cmd.Context(), opts, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	cmd.AddCommand(&cobra.Command{
		Use: "serve-baseline PROVIDER…", Hidden: true, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, providers []string) error {
			return bench.ServeBaselines(cmd.Context(), os.Getenv("DATABASE_URL"), providers, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}, &cobra.Command{
		Use: "serve-streams EVENTS,PACE…", Hidden: true, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, kinds []string) error {
			return bench.ServeStreams(cmd.Context(), kinds, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}, &cobra.Command{
		Use: "drive-workflows TEMPORAL", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return bench.DriveWorkflows(cmd.Context(), args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	})
	return cmd
}
