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

	"github.com/holdfast-dev/holdfast/audit"
)

func newAuditCommand() *cobra.Command {
	var subject, actor, action string
	var limit int
	var before int64
	var asJSON bool
	cmd := &cobra.Command{
		Use: "audit", Short: "List who changed what, when and why", Args: cobra.NoArgs,
		Example: `  holdfast audit --subject openai/main
  holdfast audit --actor token:ci --limit 50`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, value := range map[string]string{"subject": subject, "actor": actor, "action": action} {
				if value != "" {
					query.Set(name, value)
				}
			}
			if before > 0 {
				query.Set("before", strconv.FormatInt(before, 10))
			}
			var list struct {
				Data    []audit.Event `json:"data"`
				HasMore bool          `json:"has_more"`
				LastID  string        `json:"last_id"`
			}
			if err := callAdmin(cmd, http.MethodGet, "/admin/audit?"+query.Encode(), nil, &list); err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				for _, event := range list.Data {
					if err := encoder.Encode(event); err != nil {
						return err
					}
				}
				return nil
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "AT\tACTOR\tACTION\tSUBJECT\tREASON")
			for _, event := range list.Data {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", event.At.Local().Format(time.DateTime), event.Actor, event.Action, event.Subject, orDefault(event.Reason, "-"))
			}
			if list.HasMore {
				_, _ = fmt.Fprintf(w, "… more with --before %s\n", list.LastID)
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&subject, "subject", "", "only what was done to this, such as openai/main")
	cmd.Flags().StringVar(&actor, "actor", "", "only what this one did: root, token:NAME, holdfast")
	cmd.Flags().StringVar(&action, "action", "", "only this, such as key.set")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many, at most 100")
	cmd.Flags().Int64Var(&before, "before", 0, "only what was written down before the event of this id")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each event as JSON, with what was before and after")
	return cmd
}
