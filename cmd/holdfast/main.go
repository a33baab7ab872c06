// Command holdfast is the durable orchestrator for LLM completions, and its operators' tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	err := newRootCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "holdfast:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

// errUsage marks errors that the command line itself is to blame for.
var errUsage = errors.New("see --help")

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "A durable orchestrator for LLM completions",
		Long: `Holdfast answers chat completions through whichever provider works, and never loses an accepted request:
every completion is a Temporal workflow that survives its providers and its own process.

Start everything on this machine, with simulated providers and no API key:

    holdfast up

Then follow the curl line that it prints. The other commands find the running instance by --data (default ./.holdfast), or
by HOLDFAST_ADMIN_URL and HOLDFAST_ADMIN_TOKEN_FILE.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("data", defaultDataDir, "data directory of the instance")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "operate", Title: "Operate a running instance:"},
		&cobra.Group{ID: "try", Title: "Check and try:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, command := range commands {
			command.GroupID = group
			root.AddCommand(command)
		}
	}
	add("run", newUpCommand(), newAPICommand(), newWorkerCommand(), newMigrateCommand(), newTemporalCommand())
	add("operate", newKeysCommand(), newVaultCommand(), newTokensCommand(), newCompletionsCommand(), newRouteCommand(), newProvidersCommand(),
		newCacheCommand(), newConversationsCommand(), newAlertsCommand(), newAuditCommand(), newAdminTokensCommand())
	add("try", newChatCommand(), newHealthCommand(), newConfigCommand(), newSimulateCommand(), newBenchCommand(), newVersionCommand())
	return root
}
