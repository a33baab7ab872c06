package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
)

// mostShown is how many items are shown at most: longer ones are for the export.
const mostShown = 1000

func newConversationsShowCommand() *cobra.Command {
	var tenant string
	var last int
	var asJSON bool
	show := &cobra.Command{
		Use: "show ID", Short: "Show what was said in a conversation, and by whom", Args: cobra.ExactArgs(1),
		Long: `Show the last messages of a conversation, the newest last: who spoke, which model at which provider answered, what it thought as
far as its vendor tells, which tools it called and what they gave. Files are named, not shown.`,
		Example: `  holdfast conversations show conv_0123456789abcdefghijklmnop
  holdfast conversations show conv_0123456789abcdefghijklmnop --last 200 | less
  holdfast conversations show conv_0123456789abcdefghijklmnop --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if last < 1 || last > mostShown {
				return fmt.Errorf("--last must be between 1 and %d: what is longer can be exported, %w", mostShown, errUsage)
			}
			path, query := "/admin/conversations/"+url.PathEscape(args[0]), url.Values{"tenant": {tenant}}
			var raw json.RawMessage
			if err := callAdmin(cmd, http.MethodGet, path+"?"+query.Encode(), nil, &raw); err != nil {
				return err
			}
			items, err := lastItems(cmd, path, query, last)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"conversation": raw, "items": items})
			}
			var head conversationRecord
			if err := json.Unmarshal(raw, &head); err != nil {
				return err
			}
			newPage(cmd.OutOrStdout()).conversation(head, items)
			return nil
		},
	}
	show.Flags().StringVar(&tenant, "tenant", "", "only if it is this tenant's")
	show.Flags().IntVar(&last, "last", 20, "how many messages, counted from the end")
	show.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return show
}

// lastItems reads the last items of a conversation, and gives them in order.
func lastItems(cmd *cobra.Command, path string, query url.Values, last int) ([]store.ExportedItem, error) {
	items := []store.ExportedItem{}
	for last > len(items) {
		query.Set("limit", strconv.Itoa(min(100, last-len(items))))
		var page struct {
			Data    []store.ExportedItem `json:"data"`
			HasMore bool                 `json:"has_more"`
			LastID  string               `json:"last_id"`
		}
		if err := callAdmin(cmd, http.MethodGet, path+"/items?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		if items = append(items, page.Data...); !page.HasMore || len(page.Data) == 0 {
			break
		}
		query.Set("after", page.LastID)
	}
	slices.Reverse(items)
	return items, nil
}

func newConversationsEraseCommand() *cobra.Command {
	var which saidBy
	var yes bool
	remove := &cobra.Command{
		Use: "erase [ID]", Short: "Erase a conversation, or all that was said for an end user", Args: cobra.MaximumNArgs(1),
		Long: `Erase a conversation with all that follows on its turns, or all that was said for an end user: requests, answers, turns,
summaries, kept answers, files, metadata. The numbers stay: when, which providers, how many tokens. It cannot be undone.

An end user is whom clients name as user, safety_identifier or metadata.user_id. A conversation is erased whole if it was that
user's alone, and else the user's turns are taken out of it.`,
		Example: `  holdfast conversations erase conv_0123456789abcdefghijklmnop
  holdfast conversations erase --tenant search --user ann@example.com
  holdfast conversations erase --tenant search --user ann@example.com --yes    # without a question`,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, _, err := which.paths(args)
			if err != nil {
				return err
			}
			if len(args) == 1 { // it should be there before anybody is asked
				if err := callAdmin(cmd, http.MethodGet, path, nil, nil); err != nil {
					return err
				}
			}
			if !yes {
				if err := confirm(cmd, "Erase "+which.inWords(args)+"? It cannot be undone."); err != nil {
					return err
				}
			}
			var erased completions.Erasure
			if err := callAdminFor(cmd.Context(), cmd, http.MethodDelete, path, nil, &erased); err != nil {
				if errors.Is(err, context.Canceled) {
					return errors.New("stopped half way: what was erased by then stays erased; the same command erases the rest")
				}
				return err
			}
			out := cmd.OutOrStdout()
			_, err = fmt.Fprintf(out, "Erased: %s, what was said in %s\n", counted(erased.Conversations, "conversation"), counted(erased.Completions, "completion"))
			if err == nil && erased.Running > 0 {
				_, err = fmt.Fprintf(out, "%s still running: what is said there goes within minutes of the end\n", counted(erased.Running, "completion"))
			}
			return err
		},
	}
	which.flags(remove)
	remove.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return remove
}
