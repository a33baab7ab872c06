package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/holdfast-dev/holdfast/keys"
)

func newKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Add, replace, rotate and list provider keys",
		Long: `Provider keys live encrypted in the vault of a running instance. They are read from standard input or a hidden prompt,
never from an argument, the environment or a configuration file, and are in effect on every worker at once.`,
	}
	cmd.AddCommand(newKeysAddCommand(), newKeysSetCommand(), newKeysListCommand(), newKeysEditCommand(), newKeysHistoryCommand(),
		newKeysRotateCommand(), newKeysRestoreCommand(),
		newKeyStateCommand("disable", "Stop using a provider key at once", "disabled"),
		newKeyStateCommand("enable", "Use a provider key again that is disabled, or quarantined", "in use"),
		newKeysRotateContentCommand())
	return cmd
}

func newKeysAddCommand() *cobra.Command {
	var name, source string
	var replace bool
	var attributes keyFlags
	add := &cobra.Command{
		Use: "add PROVIDER", Short: "Add a provider key from standard input or a prompt", Args: cobra.ExactArgs(1),
		Long: `Add a provider key from standard input or a prompt. With --source, nothing is copied: the key is read from where it is kept,
again and again, so that what is changed there is taken up within a minute.`,
		Example: `  printf %s "$KEY" | holdfast keys add openai --name main
  holdfast keys add anthropic --name main        # asks for the key
  holdfast keys add openai --name bulk --weight 3 --tenant search --expires 2027-01-31 < key.txt
  holdfast keys add openai --name main --source 'awssecretsmanager://prod/openai?region=eu-central-1&field=api_key'
  holdfast keys add gemini --name main --source file:///run/secrets/gemini`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := attributes.request(cmd)
			if err != nil {
				return err
			}
			in["provider"], in["name"], in["replace"], in["source"] = args[0], name, replace, source
			if source == "" {
				if in["key"], err = readSecret(cmd, fmt.Sprintf("Key for %s (not shown): ", args[0])); err != nil {
					return err
				}
			}
			return putKey(cmd, in)
		},
	}
	add.Flags().StringVar(&name, "name", "main", "name of the key, shown in records in place of the key")
	add.Flags().StringVar(&source, "source", "", "URL of where the key is kept: file, awssecretsmanager, gcpsecretmanager or vaultkv")
	add.Flags().BoolVar(&replace, "replace", false, "replace a key of the same name; see also keys set")
	attributes.add(add)
	return add
}

func newKeysSetCommand() *cobra.Command {
	var keep bool
	var source string
	var attributes keyFlags
	set := &cobra.Command{
		Use: "set PROVIDER NAME", Short: "Put a key in the place of another, on every worker at once", Args: cobra.ExactArgs(2),
		Long: `Put a key in the place of another of the same name, from standard input or a prompt. Every worker uses it for its next call, within
two seconds, also while Temporal is down; calls that the provider refuses because of the former key are made again with the new one.

The former key is erased from the vault, or kept, out of use, with --keep-former; keys restore brings it back. At its provider it
is good as before: revoke it there.`,
		Example: `  printf %s "$KEY" | holdfast keys set openai main
  holdfast keys set openai main --keep-former    # asks for the key`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := attributes.request(cmd)
			if err != nil {
				return err
			}
			in["provider"], in["name"], in["former"], in["source"] = args[0], args[1], "erase", source
			if keep {
				in["former"] = "keep"
			}
			if source == "" {
				if in["key"], err = readSecret(cmd, fmt.Sprintf("Key for %s/%s (not shown): ", args[0], args[1])); err != nil {
					return err
				}
			}
			return putKey(cmd, in)
		},
	}
	set.Flags().BoolVar(&keep, "keep-former", false, "keep the former key in the vault, out of use, so that keys restore can bring it back")
	set.Flags().StringVar(&source, "source", "", "URL of where the key is kept: file, awssecretsmanager, gcpsecretmanager or vaultkv")
	attributes.add(set)
	return set
}

func putKey(cmd *cobra.Command, in map[string]any) error {
	var info keys.Info
	if err := callAdmin(cmd, http.MethodPost, "/admin/keys", in, &info); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s/%s is in the vault (version %d, fingerprint %s)\n", info.Provider, info.Name, info.Version, info.Fingerprint)
	return err
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
