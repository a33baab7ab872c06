package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/access"
)

func newTokensCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "tokens", Short: "Create, list and revoke API tokens",
		Long: `An API token lets an application in and says which tenant it belongs to. It is shown once, when it is created; only its
hash is stored.`,
	}
	var tenant, name string
	var quiet bool
	create := &cobra.Command{
		Use: "create", Short: "Create a token for a tenant, which is made if it is new", Args: cobra.NoArgs,
		Example: `  holdfast tokens create --tenant search --name ci
  TOKEN=$(holdfast tokens create --tenant search --quiet)`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var created struct{ ID, Tenant, Token string }
			in := map[string]string{"tenant": tenant, "name": name}
			if err := callAdmin(cmd, http.MethodPost, "/admin/tokens", in, &created); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if quiet {
				_, err := fmt.Fprintln(out, created.Token)
				return err
			}
			_, err := fmt.Fprintf(out, "Token %s of tenant %s, shown this once:\n\n  %s\n", created.ID, created.Tenant, created.Token)
			return err
		},
	}
	create.Flags().StringVar(&tenant, "tenant", "default", "tenant that the token belongs to")
	create.Flags().StringVar(&name, "name", "token", "name to tell tokens apart by")
	create.Flags().BoolVar(&quiet, "quiet", false, "print the token alone")
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "Revoke a token", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := callAdmin(cmd, http.MethodPost, "/admin/tokens/"+url.PathEscape(args[0])+"/revoke", nil, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is revoked\n", args[0])
			return err
		},
	}
	cmd.AddCommand(create, newTokensListCommand(), revoke)
	return cmd
}

func newTokensListCommand() *cobra.Command {
	var tenant string
	list := &cobra.Command{
		Use: "list", Short: "List tokens, never their content", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list struct {
				Data []access.Token `json:"data"`
			}
			if err := callAdmin(cmd, http.MethodGet, "/admin/tokens?tenant="+url.QueryEscape(tenant), nil, &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "ID\tTENANT\tNAME\tCREATED\tREVOKED")
			for _, token := range list.Data {
				revoked := "-"
				if token.RevokedAt != nil {
					revoked = token.RevokedAt.Format(time.DateTime)
				}
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", token.ID, token.Tenant, token.Name, token.CreatedAt.Format(time.DateTime), revoked)
			}
			return w.Flush()
		},
	}
	list.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	return list
}
