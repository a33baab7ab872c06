package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/access"
)

func newAdminTokensCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "admin-tokens", Short: "Create, list and revoke tokens of the admin API",
		Long: `An admin token may do in the admin API what its scopes say, and no more; the audit log names it. It is shown once, when it is
created; only its hash is stored. Keep it in a file of mode 0600 that HOLDFAST_ADMIN_TOKEN_FILE names, and the commands use it.

The scopes: ` + scopesInWords() + `.`,
	}
	cmd.AddCommand(newAdminTokensCreateCommand(), newAdminTokensListCommand(), &cobra.Command{
		Use: "revoke ID", Short: "Revoke an admin token at once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := callAdmin(cmd, http.MethodPost, "/admin/admin-tokens/"+url.PathEscape(args[0])+"/revoke", nil, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is revoked\n", args[0])
			return err
		},
	})
	return cmd
}

func scopesInWords() string {
	words := make([]string, len(access.Scopes()))
	for i, scope := range access.Scopes() {
		words[i] = string(scope)
	}
	return strings.Join(words, ", ")
}

func newAdminTokensCreateCommand() *cobra.Command {
	var scopes []string
	var expires string
	var quiet bool
	create := &cobra.Command{
		Use: "create NAME", Short: "Create an admin token", Args: cobra.ExactArgs(1),
		Example: `  holdfast admin-tokens create rotator --scope keys:read --scope keys:write --expires 30d
  (umask 077; holdfast admin-tokens create prometheus --scope metrics:read --quiet > prometheus.token)`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{"name": args[0], "scopes": scopes}
			if expires != "" {
				lasts, err := daysOrDuration(expires)
				if err != nil {
					return err
				}
				in["expires_at"] = time.Now().Add(lasts).UTC().Truncate(time.Second)
			}
			var created struct {
				access.AdminTokenInfo
				Token string `json:"token"`
			}
			if err := callAdmin(cmd, http.MethodPost, "/admin/admin-tokens", in, &created); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if quiet {
				_, err := fmt.Fprintln(out, created.Token)
				return err
			}
			_, err := fmt.Fprintf(out, "Admin token %s (%s), shown this once:\n\n  %s\n", created.Name, created.ID, created.Token)
			return err
		},
	}
	create.Flags().StringArrayVar(&scopes, "scope", nil, "what it may do; give it once for each scope")
	create.Flags().StringVar(&expires, "expires", "", "how long it lasts, such as 30d or 12h; for ever if it is left out")
	create.Flags().BoolVar(&quiet, "quiet", false, "print the token alone")
	_ = create.MarkFlagRequired("scope")
	return create
}

// daysOrDuration reads how long something lasts: 30d, or a duration such as 12h.
func daysOrDuration(text string) (time.Duration, error) {
	lasts, err := time.ParseDuration(text)
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		var number int
		number, err = strconv.Atoi(days)
		lasts = time.Duration(min(number, 36500)) * 24 * time.Hour
	}
	if err != nil || lasts <= 0 {
		return 0, fmt.Errorf("--expires must be a number of days such as 30d, or a duration such as 12h: %w", errUsage)
	}
	return lasts, nil
}

func newAdminTokensListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List admin tokens, never their content", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list struct {
				Data []access.AdminTokenInfo `json:"data"`
			}
			if err := callAdmin(cmd, http.MethodGet, "/admin/admin-tokens", nil, &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "ID\tNAME\tCREATED\tEXPIRES\tREVOKED\tSCOPES")
			moment := func(at *time.Time) string {
				if at == nil {
					return "-"
				}
				return at.Local().Format(time.DateTime)
			}
			for _, token := range list.Data {
				scopes := make([]string, len(token.Scopes))
				for i, scope := range token.Scopes {
					scopes[i] = string(scope)
				}
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", token.ID, token.Name, moment(&token.CreatedAt), moment(token.ExpiresAt), moment(token.RevokedAt),
					strings.Join(scopes, " "))
			}
			return w.Flush()
		},
	}
}
