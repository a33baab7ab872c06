package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/keys"
)

// keyPath is the admin API's path of the key that a command's first two arguments name.
func keyPath(args []string) string {
	return "/admin/keys/" + url.PathEscape(args[0]) + "/" + url.PathEscape(args[1])
}

// keyFlags are the attributes of a key, as flags.
type keyFlags struct {
	account, handle, expires string
	weight                   int
	tenants                  []string
}

func (k *keyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&k.account, "account", "", "account that the key shares its limits with others by")
	flags.IntVar(&k.weight, "weight", 0, "share of the provider's calls, beside other keys with a weight; 0: used in order, behind those")
	flags.StringSliceVar(&k.tenants, "tenant", nil, "tenant that the key serves; repeat for several; none: all of them")
	flags.StringVar(&k.expires, "expires", "", "when the key ends: 2027-01-31, or a time as in RFC 3339; never: not known")
	flags.StringVar(&k.handle, "handle", "", "what the provider calls the key, so that a rotation can revoke it: no secret")
}

// request is what was given, for the admin API.
func (k *keyFlags) request(cmd *cobra.Command) (map[string]any, error) {
	in := map[string]any{}
	given := cmd.Flags().Changed
	if given("account") {
		in["account"] = k.account
	}
	if given("weight") {
		in["weight"] = k.weight
	}
	if given("tenant") {
		in["tenants"] = k.tenants
		if len(k.tenants) == 1 && k.tenants[0] == "" {
			in["tenants"] = []string{}
		}
	}
	if given("handle") {
		in["handle"] = k.handle
	}
	if given("expires") {
		ends, err := endOf(k.expires)
		if err != nil {
			return nil, err
		}
		in["expires_at"] = ends
	}
	return in, nil
}

// endOf reads when a key ends. A day is its beginning in UTC, for safety.
func endOf(text string) (string, error) {
	if text == "never" {
		return "", nil
	}
	if _, err := time.Parse(time.RFC3339, text); err == nil {
		return text, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "", fmt.Errorf("--expires %q is neither a day such as 2027-01-31, nor a time such as 2027-01-31T12:00:00Z, nor never: %w", text, errUsage)
	}
	return day.Format(time.RFC3339), nil
}

func newKeysEditCommand() *cobra.Command {
	var attributes keyFlags
	edit := &cobra.Command{
		Use: "edit PROVIDER NAME", Short: "Change what is known of a provider key: weight, tenants, end, account", Args: cobra.ExactArgs(2),
		Example: `  holdfast keys edit openai main --expires 2027-01-31
  holdfast keys edit openai bulk --weight 3 --tenant search --tenant batch
  holdfast keys edit openai bulk --tenant ""     # all tenants again`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := attributes.request(cmd)
			if err != nil {
				return err
			}
			if len(in) == 0 {
				return fmt.Errorf("nothing is to be changed: give --weight, --tenant, --expires, --account or --handle: %w", errUsage)
			}
			if err := callAdmin(cmd, http.MethodPatch, keyPath(args), in, nil); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s/%s is changed\n", args[0], args[1])
			return err
		},
	}
	attributes.add(edit)
	return edit
}

// newKeyStateCommand makes a command that changes nothing of a key but its state.
func newKeyStateCommand(name, short, done string) *cobra.Command {
	return &cobra.Command{
		Use: name + " PROVIDER NAME", Short: short, Args: cobra.ExactArgs(2),
		Example: "  holdfast keys " + name + " openai main",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := callAdmin(cmd, http.MethodPost, keyPath(args)+"/"+name, nil, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s/%s is %s\n", args[0], args[1], done)
			return err
		},
	}
}

func newKeysRestoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore PROVIDER NAME VERSION", Short: "Use a version of a provider key again that was kept", Args: cobra.ExactArgs(3),
		Long: `Use a version again that keys set --keep-former has kept, or that a rotation is draining. The one in its place is kept.
keys history lists the versions; of those that are revoked nothing is left.`,
		Example: "  holdfast keys restore openai main 3",
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := strconv.Atoi(args[2])
			if err != nil {
				return fmt.Errorf("%q is no number of a version; keys history lists them: %w", args[2], errUsage)
			}
			if err := callAdmin(cmd, http.MethodPost, keyPath(args)+"/restore", map[string]any{"version": version}, nil); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "version %d of %s/%s is in use\n", version, args[0], args[1])
			return err
		},
	}
}

func newVaultCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "vault", Short: "Look after what protects the provider keys"}
	cmd.AddCommand(&cobra.Command{
		Use: "rewrap", Short: "Have the keeper wrap all data keys anew that a former keeper protects", Args: cobra.NoArgs,
		Long: `Have the keeper wrap all data keys anew that another one protects: those of provider keys, and those of what is said. Start every
process with the new holdfast.keeper, and the former one among holdfast.keys.former_keepers; then run this. It goes on where it was
cut off. When nothing is left, take the former keeper out of the configuration.`,
		Example: "  holdfast vault rewrap",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var done keys.Rewrapped
			if err := callAdmin(cmd, http.MethodPost, "/admin/vault/rewrap", nil, &done); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%d data keys are wrapped anew, %d were before, by %s\n", done.Done, done.Before, done.Keeper)
			for _, left := range done.Left {
				_, _ = fmt.Fprintln(cmd.OutOrStdout(), "left: "+left)
			}
			if len(done.Left) > 0 {
				return fmt.Errorf("%d data keys are left as they are", len(done.Left))
			}
			return nil
		},
	})
	return cmd
}
