package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/simulator"
)

// simulateGrace is how long answers under way may take when the simulator is told to stop.
const simulateGrace = 5 * time.Second

type simulateFlags struct {
	addrs       map[simulator.Vendor]*string
	control     string
	latency     time.Duration
	answerBytes int
}

// newSimulateCommand is "holdfast simulate" and its subcommands.
func newSimulateCommand() *cobra.Command {
	flags := simulateFlags{addrs: make(map[simulator.Vendor]*string)}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Stand in for OpenAI, Anthropic and Gemini, and break them on purpose",
		Long: `Stand in for OpenAI, Anthropic and Gemini on this machine: the same wire protocols, no account, no cost.

Point any SDK, or Holdfast itself, at the base URLs that are printed. Answers echo the last
user message; a message that says "call the tool NAME" is answered with a call of that tool.

Then break a vendor and watch what happens:

  holdfast simulate fault openai --status 503 --for 60s
  holdfast simulate calls openai
  holdfast simulate clear`,
		Example: `  holdfast simulate
  holdfast simulate --latency 2s --answer-bytes 2048
  curl http://127.0.0.1:9101/v1/chat/completions -H 'Content-Type: application/json' \
    -d '{"model":"gpt-4.1","messages":[{"role":"user","content":"hello"}]}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSimulator(cmd, flags) },
	}
	for _, listen := range []struct {
		vendor simulator.Vendor
		addr   string
	}{
		{simulator.OpenAI, "127.0.0.1:9101"}, {simulator.Anthropic, "127.0.0.1:9102"}, {simulator.Gemini, "127.0.0.1:9103"},
	} {
		name := string(listen.vendor)
		flags.addrs[listen.vendor] = cmd.Flags().String(name+"-listen", listen.addr, "address of the simulated "+name)
	}
	cmd.Flags().StringVar(&flags.control, "control-listen", "127.0.0.1:9100", "address of the control API, which does not authenticate")
	cmd.Flags().DurationVar(&flags.latency, "latency", 0, "how long each answer takes, such as 800ms")
	cmd.Flags().IntVar(&flags.answerBytes, "answer-bytes", 0, "exact size of each text answer in bytes (0: as long as the echo)")
	cmd.AddCommand(newSimulateFaultCommand(), newSimulateLimitCommand(), newSimulateClearCommand(), newSimulateCallsCommand())
	return cmd
}

func runSimulator(cmd *cobra.Command, flags simulateFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	config := simulator.Config{
		Simulator: simulator.New(simulator.Options{
			Behaviour: simulator.Behaviour{Latency: flags.latency, AnswerBytes: flags.answerBytes},
		}),
		Addrs:       make(map[simulator.Vendor]string),
		ControlAddr: flags.control,
	}
	for vendor, addr := range flags.addrs {
		if *addr != "" {
			config.Addrs[vendor] = *addr
		}
	}
	running, err := simulator.Serve(context.WithoutCancel(ctx), config)
	if err != nil {
		return fmt.Errorf("start the simulator: %w", err)
	}
	printSimulator(cmd.OutOrStdout(), running)
	select {
	case <-ctx.Done():
	case err = <-running.Failed():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), simulateGrace)
	defer cancel()
	if closeErr := running.Close(closing); err == nil && closeErr != nil {
		err = fmt.Errorf("stop the simulator: %w", closeErr)
	}
	return err
}

func printSimulator(out io.Writer, running *simulator.Running) {
	fmt.Fprintln(out, "Simulated vendors (any API key is accepted):")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, vendor := range simulator.DemoVendors() {
		if url := running.BaseURL(vendor); url != "" {
			fmt.Fprintf(table, "  %s\t%s\n", vendor, url)
		}
	}
	if url := running.ControlURL(); url != "" {
		fmt.Fprintf(table, "  control\t%s\n", url)
		_ = table.Flush() // errors show at the terminal, or nowhere
		fmt.Fprintf(out, "\nBreak one:\n  holdfast simulate fault openai --status 503 --for 60s --control %s\n", url)
		return
	}
	_ = table.Flush()
}

// simulatorClient finds the control API: the flag's, or that of the running Holdfast, which mounts it in its admin API.
func simulatorClient(cmd *cobra.Command, control string) (*simulator.Client, error) {
	if control != "" {
		return &simulator.Client{BaseURL: control}, nil
	}
	baseURL, token, err := findAdmin(cmd)
	if err != nil {
		return nil, fmt.Errorf("find a running Holdfast (for a stand-alone simulator give --control URL): %w", err)
	}
	return &simulator.Client{BaseURL: baseURL + "/admin/simulator", Token: token}, nil
}

func addControlFlag(cmd *cobra.Command, control *string) {
	cmd.Flags().StringVar(control, "control", "", "URL of a stand-alone simulator's control API, such as http://127.0.0.1:9100"+
		" (default: the admin API of the Holdfast that runs here)")
}

func newSimulateFaultCommand() *cobra.Command {
	var (
		control string
		fault   simulator.Fault
		stream  simulator.StreamFault
	)
	cmd := &cobra.Command{
		Use:   "fault VENDOR",
		Short: "Make a simulated vendor misbehave",
		Long: `Make a simulated vendor (openai, anthropic or gemini) misbehave: for the next calls (--next), for a part
of them (--share), for a time (--for), or until it is cleared. Faults add up: the first that applies to a call wins.

--code takes the vendor's own code, or one of these words, which become each vendor's own error for the case, with
its status: invalid_api_key, insufficient_quota, context_length_exceeded, content_policy_violation, model_not_found,
rate_limit_exceeded, overloaded.`,
		Example: `  # an outage of one minute
  holdfast simulate fault openai --status 503 --for 60s
  # a rate limit that says when to come back
  holdfast simulate fault anthropic --status 429 --retry-after 20s --for 20s
  # the account has no money left
  holdfast simulate fault openai --code insufficient_quota
  # every second call takes 30 seconds
  holdfast simulate fault gemini --latency 30s --share 0.5
  # the next three calls never answer; one model's connections are reset
  holdfast simulate fault openai --hang --next 3
  holdfast simulate fault openai --reset --model gpt-4.1
  # the next stream breaks off after two pieces of its answer
  holdfast simulate fault openai --stream cut --after 2 --next 1`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: vendorNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			vendor, err := simulator.ParseVendor(args[0])
			if err != nil {
				return err
			}
			if stream.Kind != "" {
				fault.Stream = &stream
			}
			client, err := simulatorClient(cmd, control)
			if err != nil {
				return err
			}
			id, err := client.SetFault(cmd.Context(), vendor, fault)
			if err != nil {
				return fmt.Errorf("set the fault: %w", err)
			}
			end := "holdfast simulate clear " + string(vendor)
			if control != "" {
				end += " --control " + control
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s set. End it with: %s\n", vendor, id, end)
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&fault.Status, "status", 0, "HTTP status of the error, in the vendor's shape")
	f.StringVar(&fault.Code, "code", "", "error code, such as insufficient_quota")
	f.DurationVar(&fault.RetryAfter, "retry-after", 0, "what the error tells the client to wait, such as 20s")
	f.DurationVar(&fault.Latency, "latency", 0, "delay before the answer or the error, such as 30s")
	f.BoolVar(&fault.Hang, "hang", false, "never answer")
	f.BoolVar(&fault.Reset, "reset", false, "reset the TCP connection")
	f.BoolVar(&fault.Malformed, "malformed", false, "answer broken JSON")
	f.BoolVar(&fault.Empty, "empty", false, "answer an empty body")
	f.IntVar(&fault.SlowBytes, "slow-bytes", 0, "send the body at this many bytes a second")
	f.IntVar(&fault.Count, "next", 0, "only for the next N calls (0: no limit)")
	f.Float64Var(&fault.Share, "share", 0, "only for this part of the calls, such as 0.5 (0: all)")
	f.DurationVar(&fault.For, "for", 0, "only for this long, such as 60s (0: until cleared)")
	f.StringVar((*string)(&stream.Kind), "stream", "", "break streamed answers: error (in band, with --status), cut, reset, hang, no_terminal or empty")
	f.IntVar(&stream.After, "after", 0, "how many pieces of the answer come before --stream breaks it")
	f.StringVar(&fault.Match.Model, "model", "", "only for calls of this model")
	addControlFlag(cmd, &control)
	cmd.MarkFlagsMutuallyExclusive("hang", "reset", "malformed", "empty")
	return cmd
}

func newSimulateClearCommand() *cobra.Command {
	var control string
	cmd := &cobra.Command{
		Use:   "clear [VENDOR]",
		Short: "End the faults of a simulated vendor, or of all",
		Example: `  holdfast simulate clear
  holdfast simulate clear openai`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: vendorNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var vendor simulator.Vendor
			if len(args) == 1 {
				var err error
				if vendor, err = simulator.ParseVendor(args[0]); err != nil {
					return err
				}
			}
			client, err := simulatorClient(cmd, control)
			if err != nil {
				return err
			}
			if err := client.ClearFaults(cmd.Context(), vendor); err != nil {
				return fmt.Errorf("clear the faults: %w", err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "faults cleared")
			return nil
		},
	}
	addControlFlag(cmd, &control)
	return cmd
}

func newSimulateCallsCommand() *cobra.Command {
	var (
		control string
		last    int
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:   "calls VENDOR",
		Short: "List what reached a simulated vendor",
		Example: `  holdfast simulate calls openai
  holdfast simulate calls anthropic --last 5 --json`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: vendorNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			vendor, err := simulator.ParseVendor(args[0])
			if err != nil {
				return err
			}
			client, err := simulatorClient(cmd, control)
			if err != nil {
				return err
			}
			calls, err := client.Calls(cmd.Context(), vendor)
			if err != nil {
				return fmt.Errorf("list the calls: %w", err)
			}
			if last > 0 && len(calls) > last {
				calls = calls[len(calls)-last:]
			}
			return printCalls(cmd.OutOrStdout(), calls, asJSON)
		},
	}
	cmd.Flags().IntVar(&last, "last", 20, "only the last N calls (0: all that are remembered)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	addControlFlag(cmd, &control)
	return cmd
}

func printCalls(out io.Writer, calls []simulator.Call, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(calls)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SEQ\tTIME\tOPERATION\tMODEL\tKEY\tSTATUS\tFAULT")
	for _, call := range calls {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", call.Seq, call.Time.Local().Format("15:04:05.000"), call.Operation,
			orDash(call.Model), orDash(call.Key), callStatus(call), orDash(call.Fault))
	}
	return table.Flush()
}

func callStatus(call simulator.Call) string {
	switch {
	case call.Status != 0:
		return strconv.Itoa(call.Status)
	case call.Done:
		return "none" // a hang, a reset, or a client that left
	default:
		return "under way"
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func vendorNames() []string {
	var names []string
	for _, vendor := range simulator.DemoVendors() {
		names = append(names, string(vendor))
	}
	return names
}
