package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/alerts"
)

func newAlertsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "alerts", Short: "List alerts, and try the webhooks that are told of them",
		Long: `Alerts are what operators are to know: a key that ends soon or is refused, a rotation that failed. They are kept, and posted to
the webhooks of holdfast.alerts in the configuration.`,
	}
	cmd.AddCommand(newAlertsListCommand(), newAlertsTestCommand())
	return cmd
}

func newAlertsListCommand() *cobra.Command {
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List the latest alerts, and which webhooks have them", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list struct {
				Data []alerts.Told `json:"data"`
			}
			if err := callAdmin(cmd, http.MethodGet, "/admin/alerts?limit="+strconv.Itoa(limit), nil, &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "RAISED\tSEVERITY\tKIND\tSUBJECT\tTITLE\tWEBHOOKS")
			for _, alert := range list.Data {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", alert.RaisedAt.Local().Format(time.DateTime), alert.Severity, alert.Kind, alert.Subject, alert.Title,
					deliveriesInWords(alert.Deliveries))
			}
			return w.Flush()
		},
	}
	list.Flags().IntVar(&limit, "limit", 20, "how many, at most 100")
	return list
}

func deliveriesInWords(deliveries []alerts.Delivery) string {
	words := make([]string, len(deliveries))
	for i, d := range deliveries {
		words[i] = fmt.Sprintf("%s: %s", d.Webhook, d.State)
		if d.Error != "" {
			words[i] += " (" + d.Error + ")"
		}
	}
	return orDefault(strings.Join(words, ", "), "-")
}

func newAlertsTestCommand() *cobra.Command {
	return &cobra.Command{
		Use: "test", Short: "Raise an alert that every webhook is told of", Args: cobra.NoArgs,
		Example: "  holdfast alerts test && holdfast alerts list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var raised struct {
				Alert    alerts.Alert `json:"alert"`
				Webhooks []string     `json:"webhooks"`
			}
			if err := callAdmin(cmd, http.MethodPost, "/admin/alerts/test", nil, &raised); err != nil {
				return err
			}
			if len(raised.Webhooks) == 0 {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is raised, and nobody is told: holdfast.alerts.webhooks names no webhook\n", raised.Alert.ID)
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is raised, and told within seconds to %s\n", raised.Alert.ID, strings.Join(raised.Webhooks, ", "))
			return err
		},
	}
}
