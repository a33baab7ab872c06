package main

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/rotation"
)

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
			_, _ = fmt.Fprintln(w, "PROVIDER\tNAME\tSTATE\tVERSION\tIN USE SINCE\tENDS\tWEIGHT\tFOR\tFINGERPRINT\tNOTE")
			for _, k := range list.Data {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Provider, k.Name, k.State, k.Version, k.VersionAt.Format(time.DateTime),
					ending(k.ExpiresAt), weightOf(k.Weight), cmp.Or(strings.Join(k.Tenants, ","), "all"), k.Fingerprint, noteOf(k))
			}
			return w.Flush()
		},
	}
}

// ending says when something ends, and in how many days.
func ending(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%d d)", at.Format(time.DateOnly), int(time.Until(*at).Hours()/24))
}

func weightOf(weight int) string {
	if weight == 0 {
		return "-"
	}
	return fmt.Sprint(weight)
}

func noteOf(k keys.Info) string {
	var notes []string
	if k.Reason != "" {
		notes = append(notes, k.Reason)
	}
	if k.Account != "" {
		notes = append(notes, "account "+k.Account)
	}
	if k.Source != "" {
		notes = append(notes, "read from "+k.Source)
	}
	return cmp.Or(strings.Join(notes, "; "), "-")
}

func newKeysHistoryCommand() *cobra.Command {
	return &cobra.Command{
		Use: "history PROVIDER NAME", Short: "Tell what a provider key has been through: versions, rotations, and who changed what", Args: cobra.ExactArgs(2),
		Example: "  holdfast keys history openai main",
		RunE: func(cmd *cobra.Command, args []string) error {
			var history keys.History
			if err := callAdmin(cmd, http.MethodGet, keyPath(args)+"/history", nil, &history); err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "VERSION\tSTATE\tSINCE\tWHY")
			for _, v := range history.Versions {
				_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", v.Number, v.State, v.UpdatedAt.Format(time.DateTime), cmp.Or(v.Reason, "-"))
			}
			_, _ = fmt.Fprintln(w, "\nROTATION\tSTATE\tSTEP\tBEGAN\tBECAUSE\tPROBLEM")
			for _, r := range history.Rotations {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.State, r.Step, r.StartedAt.Format(time.DateTime), r.Because, cmp.Or(r.Error, "-"))
			}
			_, _ = fmt.Fprintln(w, "\nWHEN\tWHO\tWHAT\tWHY")
			for _, e := range history.Events {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.At.Format(time.DateTime), e.Actor, e.Action, cmp.Or(e.Reason, "-"))
			}
			return w.Flush()
		},
	}
}

func newKeysRotateCommand() *cobra.Command {
	var dryRun, wait bool
	rotate := &cobra.Command{
		Use: "rotate PROVIDER NAME", Short: "Mint a new key, put it in the place of the one in use, and revoke that", Args: cobra.ExactArgs(2),
		Long: `Mint a new key, try it, put it into use on every worker, wait for the calls that began with the former one, and revoke that at its
provider. What fails is undone. How the key is minted stands in the configuration, under holdfast.keys.rotation.

With --dry-run, everything is done but the promotion and the revocation of the former key: the new one is minted, tried and taken
away again. This is how a rotation is tested.`,
		Example: `  holdfast keys rotate openai main --dry-run
  holdfast keys rotate openai main`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var started struct {
				Workflow string `json:"workflow"`
			}
			if err := callAdmin(cmd, http.MethodPost, keyPath(args)+"/rotate", map[string]any{"dry_run": dryRun}, &started); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "workflow %s has begun\n", started.Workflow)
			if !wait {
				return nil
			}
			return followRotation(cmd, args)
		},
	}
	rotate.Flags().BoolVar(&dryRun, "dry-run", false, "rehearse every step but promote and revoke")
	rotate.Flags().BoolVar(&wait, "wait", true, "tell each step, until the rotation has ended")
	return rotate
}

// rotationLook is how often a rotation that is followed is looked at.
const rotationLook = 500 * time.Millisecond

// followRotation tells the steps of a key's latest rotation until it has ended. One that came to nothing is an error.
func followRotation(cmd *cobra.Command, args []string) error {
	ticker := time.NewTicker(rotationLook)
	defer ticker.Stop()
	begun := time.Now().Add(-time.Minute)
	said := rotation.Step("")
	for {
		select {
		case <-cmd.Context().Done():
			return cmd.Context().Err()
		case <-ticker.C:
		}
		var history keys.History
		if err := callAdmin(cmd, http.MethodGet, keyPath(args)+"/history", nil, &history); err != nil {
			return err
		}
		if len(history.Rotations) == 0 || history.Rotations[0].StartedAt.Before(begun) && history.Rotations[0].State != rotation.Running {
			continue // its workflow has not begun yet
		}
		latest := history.Rotations[0]
		if latest.Step != said && latest.Step != "" {
			said = latest.Step
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", time.Now().Format(time.TimeOnly), said)
		}
		switch latest.State {
		case rotation.Running:
			continue
		case rotation.Done, rotation.Rehearsed:
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: version %d before, %d minted\n", latest.State, latest.Former, latest.Version)
			if latest.Error != "" {
				_, _ = fmt.Fprintln(cmd.OutOrStdout(), "left to be done: "+latest.Error)
			}
			return nil
		default:
			return fmt.Errorf("the rotation is %s at step %s: %s", latest.State, latest.Step, latest.Error)
		}
	}
}
