package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newRouteCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "route", Short: "Explain who would serve a route"}
	var model string
	var asJSON bool
	explain := &cobra.Command{
		Use: "explain --model ROUTE", Short: "List who would be called for a route now, in which order, and why", Args: cobra.NoArgs,
		Long: `List the deployments that would be called for a route now, in order, each with the reason for its place, and those that are
passed over, each with the reason for that. Nobody is called. Where weights decide, the order shown is one of those that are drawn.`,
		Example: "  holdfast route explain --model demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var raw json.RawMessage
			if err := callAdmin(cmd, http.MethodGet, "/admin/route?model="+url.QueryEscape(model), nil, &raw); err != nil {
				return err
			}
			if asJSON {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), string(raw))
				return err
			}
			return printRoute(cmd, raw)
		},
	}
	explain.Flags().StringVar(&model, "model", "", "the route: what clients name as the model (required)")
	explain.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = explain.MarkFlagRequired("model")
	cmd.AddCommand(explain)
	return cmd
}

func printRoute(cmd *cobra.Command, raw json.RawMessage) error {
	var found struct {
		Candidates []struct {
			Provider string `json:"provider"`
			Model    string `json:"model"`
			For      string `json:"for"`
			Reason   string `json:"reason"`
		} `json:"candidates"`
		Excluded []struct {
			Provider string `json:"provider"`
			Model    string `json:"model"`
			Reason   string `json:"reason"`
		} `json:"excluded"`
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return err
	}
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for i, c := range found.Candidates {
		condition := ""
		if c.For != "" {
			condition = ", after " + c.For + " only"
		}
		fmt.Fprintf(out, "%d\t%s/%s\t%s%s\n", i+1, c.Provider, c.Model, c.Reason, condition)
	}
	for _, e := range found.Excluded {
		fmt.Fprintf(out, "-\t%s/%s\tpassed over: %s\n", e.Provider, e.Model, e.Reason)
	}
	return out.Flush()
}
