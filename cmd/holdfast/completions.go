package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// completionRecord is what the admin API tells of a completion, as far as it is printed here.
type completionRecord struct {
	ID         string     `json:"id"`
	Tenant     string     `json:"tenant"`
	Route      string     `json:"route"`
	State      string     `json:"state"`
	WorkflowID string     `json:"workflow_id"`
	Provider   string     `json:"provider"`
	Model      string     `json:"model"`
	Failovers  int        `json:"failovers"`
	AcceptedAt time.Time  `json:"accepted_at"`
	FinishedAt *time.Time `json:"finished_at"`
	OverheadMS *int64     `json:"overhead_ms"`
	ServedFrom string     `json:"served_from"`
	Error      *struct {
		Kind string `json:"kind"`
		Code string `json:"code"`
	} `json:"error"`
	Plan     *planRecord `json:"plan"`
	Attempts []struct {
		Number        int    `json:"number"`
		Epoch         int    `json:"epoch"`
		State         string `json:"state"`
		Provider      string `json:"provider"`
		Model         string `json:"model"`
		KeyName       string `json:"key_name"`
		ChosenBecause string `json:"chosen_because"`
		ErrorKind     string `json:"error_kind"`
		HTTPStatus    int    `json:"http_status"`
		LatencyMS     int64  `json:"latency_ms"`
		Decision      string `json:"decision"`
		Reason        string `json:"reason"`
	} `json:"attempts"`
}

func newCompletionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "completions", Short: "List completions, show what happened to one, cancel it"}
	var asJSON bool
	show := &cobra.Command{
		Use: "show ID", Short: "Show a completion's plan, its attempts and the decision after each", Args: cobra.ExactArgs(1),
		Example: "  holdfast completions show chatcmpl-0123456789abcdefghjkmnpqrs",
		RunE: func(cmd *cobra.Command, args []string) error {
			var raw json.RawMessage
			if err := callAdmin(cmd, http.MethodGet, "/admin/completions/"+url.PathEscape(args[0]), nil, &raw); err != nil {
				return err
			}
			if asJSON {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), string(raw))
				return err
			}
			var record completionRecord
			if err := json.Unmarshal(raw, &record); err != nil {
				return err
			}
			return printRecord(cmd, record)
		},
	}
	show.Flags().BoolVar(&asJSON, "json", false, "print the record as JSON")
	cmd.AddCommand(newCompletionsListCommand(), show, newCompletionsCancelCommand())
	return cmd
}

func newCompletionsCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cancel ID", Short: "End a running completion at its provider", Args: cobra.ExactArgs(1),
		Long: `End a running completion, whichever process drives it: the provider's connection is closed, what was said is kept, and what
was used by then is counted. One that has its outcome already keeps it.`,
		Example: "  holdfast completions cancel chatcmpl-0123456789abcdefghjkmnpqrs",
		RunE: func(cmd *cobra.Command, args []string) error {
			var record completionRecord
			if err := callAdmin(cmd, http.MethodPost, "/admin/completions/"+url.PathEscape(args[0])+"/cancel", nil, &record); err != nil {
				return err
			}
			said := "is being cancelled"
			if record.State != "open" {
				said = "has ended before: " + record.State
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", record.ID, said)
			return nil
		},
	}
}

func newCompletionsListCommand() *cobra.Command {
	var tenant, state string
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List the newest completions", Args: cobra.NoArgs,
		Example: `  holdfast completions list --state open
  holdfast completions list --tenant search --limit 100`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"tenant": {tenant}, "state": {state}, "limit": {strconv.Itoa(limit)}}
			var found struct {
				Data []struct {
					completionRecord
					Attempts int `json:"attempts"`
				} `json:"data"`
			}
			if err := callAdmin(cmd, http.MethodGet, "/admin/completions?"+query.Encode(), nil, &found); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "ID\tTENANT\tROUTE\tSTATE\tPROVIDER\tATTEMPTS\tFAILOVERS\tACCEPTED")
			for _, c := range found.Data {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", c.ID, c.Tenant, c.Route, c.State,
					orDefault(c.Provider, "-"), c.Attempts, c.Failovers, c.AcceptedAt.Format(time.DateTime))
			}
			return w.Flush()
		},
	}
	list.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	list.Flags().StringVar(&state, "state", "", "open, succeeded or failed")
	list.Flags().IntVar(&limit, "limit", 20, "how many, at most 100")
	return list
}

func printRecord(cmd *cobra.Command, r completionRecord) error {
	out := cmd.OutOrStdout()
	outcome := r.State
	if r.Error != nil {
		outcome += " (" + r.Error.Kind + ")"
	}
	if r.Provider != "" {
		outcome += " by " + r.Provider + "/" + r.Model
	}
	switch r.ServedFrom {
	case "hit":
		outcome += ", from the cache"
	case "stale":
		outcome += ", from the cache though it is old: no provider could be called"
	case "degraded":
		outcome += ", for want of anything better"
	}
	_, _ = fmt.Fprintf(out, "%s\n  route %s, tenant %s: %s\n  workflow %s\n", r.ID, r.Route, r.Tenant, outcome, r.WorkflowID)
	if r.FinishedAt != nil && r.OverheadMS != nil {
		_, _ = fmt.Fprintf(out, "  took %s, of which %d ms outside provider calls\n", r.FinishedAt.Sub(r.AcceptedAt).Round(time.Millisecond), *r.OverheadMS)
	}
	if r.Plan != nil {
		_, _ = fmt.Fprintln(out, "\n  plan")
		if err := printPlan(tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), "    ", *r.Plan, nil); err != nil {
			return err
		}
	}
	for _, a := range r.Attempts {
		_, _ = fmt.Fprintf(out, "\n  %d. %s/%s  %s", a.Number, a.Provider, a.Model, a.State)
		if a.ErrorKind != "" {
			_, _ = fmt.Fprintf(out, ": %s", a.ErrorKind)
		}
		if a.HTTPStatus != 0 {
			_, _ = fmt.Fprintf(out, " (HTTP %d)", a.HTTPStatus)
		}
		_, _ = fmt.Fprintf(out, ", %d ms, key %s, epoch %d\n", a.LatencyMS, orDefault(a.KeyName, "none"), a.Epoch)
		_, _ = fmt.Fprintf(out, "     chosen: %s\n", a.ChosenBecause)
		if a.Decision != "" {
			_, _ = fmt.Fprintf(out, "     then %s: %s\n", a.Decision, a.Reason)
		}
	}
	return nil
}
