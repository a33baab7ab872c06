package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/chat"
)

// saidBy says what is meant: a conversation by its id, or an end user.
type saidBy struct{ tenant, user string }

func (w *saidBy) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.tenant, "tenant", "", "the end user's tenant; of a conversation, only if it is this tenant's")
	cmd.Flags().StringVar(&w.user, "user", "", "the end user, as clients name them")
}

// paths are where the admin API has what is meant, and its export.
func (w *saidBy) paths(args []string) (path, export string, err error) {
	query := url.Values{"tenant": {w.tenant}}
	switch {
	case (len(args) == 1) == (w.user != ""):
		return "", "", fmt.Errorf("name either a conversation or --user, %w", errUsage)
	case len(args) == 1:
		path = "/admin/conversations/" + url.PathEscape(args[0])
		return path + "?" + query.Encode(), path + "/export?" + query.Encode(), nil
	case w.tenant == "":
		return "", "", fmt.Errorf("name the tenant with --tenant: end users of the same name in two tenants are two people, %w", errUsage)
	}
	query.Set("user", w.user)
	return "/admin/users?" + query.Encode(), "/admin/users/export?" + query.Encode(), nil
}

func (w *saidBy) inWords(args []string) string {
	if len(args) == 1 {
		return args[0] + " and all that follows on its turns"
	}
	return fmt.Sprintf("all that was said for end user %q of tenant %s", w.user, w.tenant)
}

func newConversationsExportCommand() *cobra.Command {
	var which saidBy
	var file string
	export := &cobra.Command{
		Use: "export [ID]", Short: "Export a conversation, or all that was said for an end user, as JSON Lines", Args: cobra.MaximumNArgs(1),
		Long: `Export all that is kept of a conversation, or of an end user: a line for each conversation, each message, and each completion with
what was asked and answered. It goes to standard output, or to a file that only you may read.`,
		Example: `  holdfast conversations export conv_0123456789abcdefghijklmnop > conversation.jsonl
  holdfast conversations export --tenant search --user ann@example.com -o ann.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, path, err := which.paths(args)
			if err != nil {
				return err
			}
			response, err := openAdmin(cmd.Context(), cmd, http.MethodGet, path, nil)
			if err != nil {
				return err
			}
			defer func() { _ = response.Body.Close() }()
			if file == "" {
				_, err = copyLines(cmd.OutOrStdout(), response.Body)
				return err
			}
			lines, err := exportTo(file, response.Body)
			if err == nil {
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "%s in %s\n", counted(lines, "line"), file)
			}
			return err
		},
	}
	which.flags(export)
	export.Flags().StringVarP(&file, "output", "o", "", "the file to write, in place of standard output")
	return export
}

// exportTo writes an export to a file, which is there only when it is whole.
func exportTo(path string, body io.Reader) (lines int, err error) {
	partial := path + ".partial"
	out, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(partial)
		}
	}()
	lines, err = copyLines(out, body)
	if err = errors.Join(err, out.Chmod(0o600), out.Close()); err != nil {
		return lines, err
	}
	return lines, os.Rename(partial, path)
}

// copyLines passes an export on. One that says that it is not whole is an error.
func copyLines(out io.Writer, body io.Reader) (lines int, err error) {
	in := bufio.NewReader(body)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("the export is not whole: %w", err)
		}
		if bytes.HasPrefix(line, []byte(`{"type":"error"`)) {
			var said struct {
				Error struct {
					Message string `json:"message"`
				} `json:"error"`
			}
			_ = json.Unmarshal(line, &said) // without a reason it is not whole either
			return lines, fmt.Errorf("the export is not whole: %s", orDefault(said.Error.Message, "the instance does not say why"))
		}
		if _, err := out.Write(line); err != nil {
			return lines, err
		}
		lines++
	}
}

// confirm asks a person. Where there is none, --yes has to be said.
func confirm(cmd *cobra.Command, question string) error {
	in := terminal(cmd.InOrStdin())
	if in == nil {
		return fmt.Errorf("there is no terminal to ask on: say --yes, %w", errUsage)
	}
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	answer, _, err := chat.NewPiped(in, nil).Next(cmd.Context(), "")
	if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "y" && answer != "yes" {
		return errors.New("nothing was erased")
	}
	return nil
}

// counted is a number of things in words.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
