package main

import (
	"fmt"
	"log/slog"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/config"
)

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check configuration files"}
	cmd.AddCommand(&cobra.Command{
		Use: "check FILE", Short: "Check a file and show how it routes", Args: cobra.ExactArgs(1),
		Long: `Read a configuration file as 'holdfast up --config' would. All problems are reported at once, each with its line; settings
that load but have no effect here are listed as warnings. Then each route is shown with its targets and their shares.`,
		Example: "  holdfast config check gateway.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(args[0], slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, warning := range cfg.Warnings {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d: warning: %s: %s\n", args[0], warning.Line, warning.Path, warning.Message)
			}
			_, _ = fmt.Fprintf(out, "%s is valid: %d routes\n\n", args[0], len(cfg.Routes))
			return printRoutes(tabwriter.NewWriter(out, 0, 4, 2, ' ', 0), cfg)
		},
	})
	return cmd
}

func printRoutes(w *tabwriter.Writer, cfg *config.Config) error {
	_, _ = fmt.Fprintln(w, "ROUTE\tORDER\tSHARE\tPROVIDER\tMODEL\tENDPOINT")
	for _, route := range cfg.Routes {
		total := map[int]float64{}
		for _, d := range route.Deployments {
			total[d.Order] += d.Weight
		}
		for _, d := range route.Deployments {
			share := 100 * d.Weight / max(total[d.Order], 1e-9)
			_, _ = fmt.Fprintf(w, "%s\t%d\t%.0f%%\t%s\t%s\t%s\n", route.Name, d.Order, share, d.Provider, d.Model, orDefault(d.APIBase, "the vendor's own"))
		}
	}
	return w.Flush()
}
