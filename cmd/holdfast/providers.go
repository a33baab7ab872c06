package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// aboutDomains says what the commands act on.
const aboutDomains = `A domain is what shares a fault or a limit:

  openai                  everything at one place
  openai/gpt-4.1          one model there
  openai#main             everything with one key, which stands for its account
  openai#main/gpt-4.1     one model with one key

A place is a provider, and behind a colon its host, region or project where it has several: bedrock:eu-central-1. In a shell, put
quotes around a domain with a #.`

func newProvidersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "providers", Short: "Show which providers are called, and take them out of service",
		Long: `Show which providers are called, and take them out of service. Providers that fail are left alone and tried again by
themselves; these commands are for what you know better. They take effect on every process at once, also while Temporal is down.

` + aboutDomains,
	}
	cmd.AddCommand(newProvidersListCommand(), newProvidersOpenCommand(), newProvidersCloseCommand(), newProvidersHoldCommand())
	return cmd
}

// providerRecord is what the admin API tells of a domain.
type providerRecord struct {
	Domain    string    `json:"domain"`
	State     string    `json:"state"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	Cause     string    `json:"cause"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	Held      bool      `json:"held"`
	Streak    int       `json:"streak"`
	InFlight  *int      `json:"in_flight"`
	LimitUsed *float64  `json:"limit_used"`
}

func newProvidersListCommand() *cobra.Command {
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List what is known of each domain, those that are not in order first", Args: cobra.NoArgs,
		Long: `List the domains that the routes' deployments belong to, as the process that answers sees them: whether each is called (closed),
is not called (open) or is being tried (half_open), since when, until when and why. Calls under way, and the share of a
vendor's limit that is used up, are those of that process alone.

` + aboutDomains,
		Example: "  holdfast providers list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var raw json.RawMessage
			if err := callAdmin(cmd, http.MethodGet, "/admin/providers", nil, &raw); err != nil {
				return err
			}
			if asJSON {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), string(raw))
				return err
			}
			var found struct {
				Data []providerRecord `json:"data"`
			}
			if err := json.Unmarshal(raw, &found); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "DOMAIN\tSTATE\tSINCE\tUNTIL\tCALLS\tLIMIT USED\tREASON")
			for _, p := range found.Data {
				_, _ = fmt.Fprintln(w, p.row())
			}
			return w.Flush()
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return list
}

// row is the domain's line in the table.
func (p providerRecord) row() string {
	state, calls, limit := p.State, "-", "-"
	if p.Held {
		state += ", held"
	}
	if p.InFlight != nil {
		calls = fmt.Sprint(*p.InFlight)
	}
	if p.LimitUsed != nil {
		limit = fmt.Sprintf("%.0f%%", 100**p.LimitUsed)
	}
	reason := orDash(p.Reason)
	if p.By != "" {
		reason += " (" + p.By + ")"
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", p.Domain, state, momentOf(p.Since), momentOf(p.Until), calls, limit, reason)
}

// momentOf writes a time for a person at this machine, or a dash.
func momentOf(at time.Time) string { return momentOr(at, "-") }

func momentOr(at time.Time, otherwise string) string {
	if at.IsZero() {
		return otherwise
	}
	return at.Local().Format(time.DateTime)
}

func newProvidersOpenCommand() *cobra.Command {
	var pause time.Duration
	open := providersWord("open", "Take a domain out of service", `Take a domain out of service: nothing of it is called, for a time (--for) or until it is closed by hand. Its time over, it comes
back by itself; what its calls under way bring may lengthen that time, and shortens it never.`,
		`  holdfast providers open openai --for 1h --reason "they announced maintenance"
  holdfast providers open 'openai#main/gpt-4.1' --reason "wrong answers since noon"`,
		func(word map[string]string) {
			if pause > 0 {
				word["for"] = pause.String()
			}
		})
	open.Flags().DurationVar(&pause, "for", 0, "how long, such as 30m (0: until it is closed by hand)")
	return open
}

func newProvidersCloseCommand() *cobra.Command {
	return providersWord("close", "Put a domain back into service", `Put a domain back into service, whoever took it out. What its calls bring opens it again, as any other. It is also the end of a
hold. The domains around it stay as they are.`,
		`  holdfast providers close openai --reason "their status page is green"`, nil)
}

func newProvidersHoldCommand() *cobra.Command {
	return providersWord("hold", "Leave a domain as it stands, whatever its calls and probes bring", `Leave a domain as it stands, whatever its calls and probes bring, until it is closed by hand: one that is called goes on being
called though it fails, one that is not is not tried again.`,
		`  holdfast providers hold anthropic/claude-sonnet-4-5 --reason "slow today, and better than nothing"`, nil)
}

// providersWord is a command that says something of a domain. More adds to what is sent.
func providersWord(verb, short, long, example string, more func(map[string]string)) *cobra.Command {
	var by, reason string
	cmd := &cobra.Command{
		Use: verb + " DOMAIN", Short: short, Args: cobra.ExactArgs(1), Long: long + "\n\n" + aboutDomains, Example: example,
		RunE: func(cmd *cobra.Command, args []string) error {
			word := map[string]string{"domain": args[0], "by": by, "reason": reason}
			if more != nil {
				more(word)
			}
			var standing providerRecord
			if err := callAdmin(cmd, http.MethodPost, "/admin/providers/"+verb, word, &standing); err != nil {
				return err
			}
			return printStanding(cmd, standing)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever finds it later (required)")
	cmd.Flags().StringVar(&by, "by", orDefault(os.Getenv("USER"), "operator"), "who says so")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func printStanding(cmd *cobra.Command, p providerRecord) error {
	said := "is " + p.State
	switch {
	case !p.Until.IsZero():
		said += " until " + momentOf(p.Until)
	case p.Held:
		said = "is held " + p.State + ". End it with: holdfast providers close '" + p.Domain + "' --reason …"
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", p.Domain, said)
	return err
}
