package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newCacheCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "cache", Short: "Show how often answers came from the cache, and forget them",
		Long: `Routes with a cache keep their answers, and give them again to the same request of the same tenant (holdfast.routes.<name>.cache
in the configuration).`,
	}
	cmd.AddCommand(newCacheShowCommand(), newCacheClearCommand())
	return cmd
}

func newCacheShowCommand() *cobra.Command {
	var since string
	show := &cobra.Command{
		Use: "show", Short: "Count the answers of each tenant's routes, and those of them that were kept ones", Args: cobra.NoArgs,
		Example: `  holdfast cache show
  holdfast cache show --since 1h`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var found struct {
				Data []struct {
					Tenant   string `json:"tenant"`
					Route    string `json:"route"`
					Answered int64  `json:"answered"`
					Hits     int64  `json:"hits"`
					Stale    int64  `json:"stale"`
				} `json:"data"`
			}
			if err := callAdmin(cmd, http.MethodGet, "/admin/cache?since="+url.QueryEscape(since), nil, &found); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "TENANT\tROUTE\tANSWERED\tHITS\tSTALE\tSHARE")
			for _, use := range found.Data {
				share := 100 * float64(use.Hits+use.Stale) / float64(max(1, use.Answered))
				_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.0f%%\n", use.Tenant, use.Route, use.Answered, use.Hits, use.Stale, share)
			}
			return w.Flush()
		},
	}
	show.Flags().StringVar(&since, "since", "24h", "how far back: a time such as 2026-01-31T12:00:00Z, or how long ago")
	return show
}

func newCacheClearCommand() *cobra.Command {
	var route string
	remove := &cobra.Command{
		Use: "clear", Short: "Forget the answers of a route, or of all", Args: cobra.NoArgs,
		Example: `  holdfast cache clear --route chat
  holdfast cache clear`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var result struct {
				Cleared int64 `json:"cleared"`
			}
			if err := callAdmin(cmd, http.MethodDelete, "/admin/cache?route="+url.QueryEscape(route), nil, &result); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d answers forgotten\n", result.Cleared)
			return err
		},
	}
	remove.Flags().StringVar(&route, "route", "", "only this route's: what clients name as the model")
	return remove
}
