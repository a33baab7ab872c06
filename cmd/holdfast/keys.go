package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/holdfast-dev/holdfast/keys"
)

func newKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Add, list and disable provider keys",
		Long: `Provider keys live encrypted in the vault of a running instance. They are read from standard input or a hidden prompt,
never from an argument, the environment or a configuration file, and are in effect on every worker at once.`,
	}
	var name string
	var replace bool
	add := &cobra.Command{
		Use: "add PROVIDER", Short: "Add a provider key from standard input or a prompt", Args: cobra.ExactArgs(1),
		Example: `  printf %s "$KEY" | holdfast keys add openai --name main
  holdfast keys add anthropic --name main        # asks for the key
  holdfast keys add gemini --name main --replace < key.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := readSecret(cmd, fmt.Sprintf("Key for %s (not shown): ", args[0]))
			if err != nil {
				return err
			}
			var info keys.Info
			in := map[string]any{"provider": args[0], "name": name, "key": key, "replace": replace}
			if err := callAdmin(cmd, http.MethodPost, "/admin/keys", in, &info); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s/%s is in the vault (fingerprint %s)\n", info.Provider, info.Name, info.Fingerprint)
			return err
		},
	}
	add.Flags().StringVar(&name, "name", "main", "name of the key, shown in records in place of the key")
	add.Flags().BoolVar(&replace, "replace", false, "replace a key of the same name")
	cmd.AddCommand(add, newKeysListCommand(), &cobra.Command{
		Use: "disable PROVIDER NAME", Short: "Stop using a provider key at once", Args: cobra.ExactArgs(2),
		Example: "  holdfast keys disable openai main",
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/admin/keys/" + url.PathEscape(args[0]) + "/" + url.PathEscape(args[1]) + "/disable"
			if err := callAdmin(cmd, http.MethodPost, path, nil, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s/%s is disabled\n", args[0], args[1])
			return err
		},
	})
	cmd.AddCommand(newKeysRotateContentCommand())
	return cmd
}

func newKeysRotateContentCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate-content", Short: "Seal what is said under a new data key from now on", Args: cobra.NoArgs,
		Long: `Make a new data key for what is said, where holdfast.privacy.seal is on, and have the vault's keeper wrap all former data keys
anew. What was sealed under those can be read as before. After the keeper's own key was rotated, this gets rid of its old version.`,
		Example: "  holdfast keys rotate-content",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made struct {
				ID string `json:"id"`
			}
			if err := callAdmin(cmd, http.MethodPost, "/admin/content-keys", nil, &made); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "What is said is sealed under content key %s from now on\n", made.ID)
			return err
		},
	}
}

func newKeysListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List provider keys, never their content", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list struct {
				Data []keys.Info `json:"data"`
			}
			if err := callAdmin(cmd, http.MethodGet, "/admin/keys", nil, &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "PROVIDER\tNAME\tSTATE\tFINGERPRINT\tADDED")
			for _, k := range list.Data {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.Provider, k.Name, k.State, k.Fingerprint, k.CreatedAt.Format(time.DateTime))
			}
			return w.Flush()
		},
	}
}

// readSecret reads one secret from a hidden prompt, or from standard input when that is not a terminal.
func readSecret(cmd *cobra.Command, prompt string) (string, error) {
	in, isFile := cmd.InOrStdin().(*os.File)
	if isFile && term.IsTerminal(int(in.Fd())) {
		_, _ = fmt.Fprint(cmd.ErrOrStderr(), prompt)
		secret, err := term.ReadPassword(int(in.Fd()))
		_, _ = fmt.Fprintln(cmd.ErrOrStderr())
		return string(secret), err
	}
	secret, err := io.ReadAll(io.LimitReader(bufio.NewReader(cmd.InOrStdin()), 16<<10))
	if err != nil {
		return "", fmt.Errorf("reading the key: %w", err)
	}
	if strings.TrimSpace(string(secret)) == "" {
		return "", errors.New("standard input holds no key: printf %s \"$KEY\" | holdfast keys add PROVIDER --name NAME")
	}
	return string(secret), nil
}
