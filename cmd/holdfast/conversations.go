package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/chat"
)

// conversationRecord is what the admin API tells of a conversation.
type conversationRecord struct {
	ID           string            `json:"id"`
	Tenant       string            `json:"tenant"`
	Parent       string            `json:"parent"`
	Metadata     map[string]string `json:"metadata"`
	CreatedAt    time.Time         `json:"created_at"`
	LastTurnAt   time.Time         `json:"last_turn_at"`
	Items        int64             `json:"items"`
	Tokens       int64             `json:"tokens"`
	Active       string            `json:"active_completion"`
	LastProvider string            `json:"last_provider"`
	LastModel    string            `json:"last_model"`
	Forks        []string          `json:"forks"`
}

func newConversationsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "conversations", Short: "List, show, export and erase what was said",
		Long: `Conversations are what clients have Holdfast keep, to go on with it. Whoever reads one here is noted in the server's log, with
its id; what is read is not.`,
	}
	cmd.AddCommand(newConversationsListCommand(), newConversationsShowCommand(), newConversationsExportCommand(), newConversationsEraseCommand())
	return cmd
}

func newConversationsListCommand() *cobra.Command {
	var tenant, after string
	var limit int
	var threads, asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List the newest conversations", Args: cobra.NoArgs,
		Long: `List the newest conversations. A thread is one that a response began by itself (previous_response_id goes on with it), or that
forked from another.`,
		Example: `  holdfast conversations list
  holdfast conversations list --tenant search --limit 100
  holdfast conversations list --threads
  holdfast conversations list --after conv_…        # the next page`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"tenant": {tenant}, "after": {after}, "limit": {strconv.Itoa(limit)}, "threads": {strconv.FormatBool(threads)}}
			var raw json.RawMessage
			if err := callAdmin(cmd, http.MethodGet, "/admin/conversations?"+query.Encode(), nil, &raw); err != nil {
				return err
			}
			if asJSON {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), string(raw))
				return err
			}
			return printConversations(cmd, raw)
		},
	}
	list.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	list.Flags().StringVar(&after, "after", "", "those behind this one")
	list.Flags().IntVar(&limit, "limit", 20, "how many, at most 100")
	list.Flags().BoolVar(&threads, "threads", false, "also those that responses began by themselves")
	list.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return list
}

func printConversations(cmd *cobra.Command, raw json.RawMessage) error {
	var found struct {
		Data    []conversationRecord `json:"data"`
		HasMore bool                 `json:"has_more"`
		LastID  string               `json:"last_id"`
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return err
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tTENANT\tCREATED\tLAST TURN\tITEMS\tTOKENS\tMETADATA")
	for _, c := range found.Data {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", c.ID, c.Tenant, c.CreatedAt.Local().Format(time.DateTime),
			c.LastTurnAt.Local().Format(time.DateTime), c.Items, c.Tokens, orDefault(shortened(metadataOf(c.Metadata), 40), "-"))
	}
	if err := w.Flush(); err != nil || !found.HasMore {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "There are more: --after %s\n", found.LastID)
	return err
}

// metadataOf are notes in one line.
func metadataOf(metadata map[string]string) string {
	notes := make([]string, 0, len(metadata))
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		notes = append(notes, key+"="+metadata[key])
	}
	return strings.Join(notes, " ")
}

// shortened is a text in one line that has at most so many characters, the last of them a mark if more was there.
func shortened(text string, most int) string {
	runes := []rune(strings.Join(strings.Fields(chat.Visible(text)), " "))
	if len(runes) > most {
		runes = append(runes[:most-1], '…')
	}
	return string(runes)
}
