package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/holdfast-dev/holdfast/chat"
)

// chatFlags are what "holdfast chat" is told.
type chatFlags struct {
	data, url, tokenFile        string
	model, conversation, system string
}

func newChatCommand() *cobra.Command {
	var flags chatFlags
	var begin bool
	cmd := &cobra.Command{
		Use: "chat", Short: "Talk with a model in the terminal", Args: cobra.NoArgs,
		Long: `Talk with a model in the terminal, through the API. Holdfast keeps the conversation, so that it can be gone on with: later, with
another model, from another machine.

An answer survives the restart of the server: the connection is taken up again and the text goes on where it stopped. Ctrl-C while
an answer comes cancels it; at the prompt, it leaves. /help lists the commands.

From a pipe, each line is a message: answers go to standard output, all else to standard error. The first answer that fails ends it.`,
		Example: `  holdfast chat
  holdfast chat --model demo --system "Answer in one sentence."
  holdfast chat --conversation conv_0123456789abcdefghijklmnop     # go on with it
  echo Hello | holdfast chat
  holdfast chat --url https://holdfast.example.com --token-file ~/.holdfast-token`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if flags.data, err = cmd.Flags().GetString("data"); err != nil {
				return err
			}
			if err := flags.check(); err != nil {
				return err
			}
			return flags.run(cmd)
		},
	}
	set := cmd.Flags()
	set.StringVar(&flags.url, "url", "", "the API (default: that of the instance that runs on --data)")
	set.StringVar(&flags.tokenFile, "token-file", "", "file with an API token (default: the token in --data)")
	set.StringVar(&flags.model, "model", "", "whom to ask (default: the first model there is)")
	set.StringVar(&flags.conversation, "conversation", "", "a conversation to go on with")
	set.StringVar(&flags.system, "system", "", "said before the first message")
	set.BoolVar(&begin, "new", false, "begin a new conversation, as without --conversation")
	cmd.MarkFlagsMutuallyExclusive("conversation", "new")
	return cmd
}

// check keeps the token of the data directory on this machine: it is not for an API elsewhere.
func (f chatFlags) check() error {
	if f.url == "" {
		return nil
	}
	at, err := url.Parse(f.url)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return fmt.Errorf("--url must be an address such as https://holdfast.example.com, %w", errUsage)
	}
	if ip := net.ParseIP(at.Hostname()); f.tokenFile == "" && at.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("the API at %s needs a token of its own: name a file with it by --token-file, %w", at.Host, errUsage)
	}
	return nil
}

// locate finds the API, and the token for it.
func (f chatFlags) locate() (chat.Endpoint, error) {
	at := chat.Endpoint{URL: strings.TrimSuffix(strings.TrimSuffix(f.url, "/"), "/v1")}
	if at.URL == "" {
		var found instance
		content, err := os.ReadFile(filepath.Join(f.data, instanceFile))
		if err == nil {
			err = json.Unmarshal(content, &found)
		}
		if err != nil || found.API == "" {
			return at, fmt.Errorf("no instance is running on %s: start one with 'holdfast up', name its directory with --data, "+
				"or its API with --url and --token-file", f.data)
		}
		at.URL = found.API
	}
	file := f.tokenFile
	if file == "" {
		file = filepath.Join(f.data, tokenFile)
	}
	token, err := os.ReadFile(file) //nolint:gosec // the user names it
	if err != nil {
		return at, fmt.Errorf("reading the token: %w", err)
	}
	at.Token = strings.TrimSpace(string(token))
	return at, nil
}

// again is the command that goes on with a conversation.
func (f chatFlags) again() string {
	words := []string{invokedAs(), "chat"}
	for _, flag := range [][2]string{{"--data", f.data}, {"--url", f.url}, {"--token-file", f.tokenFile}} {
		if flag[1] != "" && flag[1] != defaultDataDir {
			words = append(words, flag[0], flag[1])
		}
	}
	return strings.Join(append(words, "--conversation"), " ")
}

func (f chatFlags) run(cmd *cobra.Command) error {
	// Ctrl-C does not end this command, but an answer: it is not the root's context that tells.
	ctx, stop := signal.NotifyContext(context.WithoutCancel(cmd.Context()), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	session := &chat.Session{
		Client:     &chat.Client{Locate: f.locate, HTTP: &http.Client{Transport: http.DefaultTransport}},
		Screen:     &chat.Screen{Out: cmd.OutOrStdout(), Notes: cmd.ErrOrStderr()},
		Interrupts: interrupts, Model: f.model, Conversation: f.conversation, System: f.system, Again: f.again(),
	}
	in, out, notes := terminal(cmd.InOrStdin()), terminal(cmd.OutOrStdout()), terminal(cmd.ErrOrStderr())
	session.Screen.Together, session.Screen.Colour = out != nil && notes != nil, notes != nil && chat.Colours()
	switch session.Interactive = in != nil; {
	case in != nil && out != nil:
		session.Lines = chat.NewTerminal(in, out)
	case in != nil && notes != nil:
		session.Lines = chat.NewPiped(in, notes)
	default:
		session.Lines = chat.NewPiped(cmd.InOrStdin(), nil)
	}
	err := session.Run(ctx)
	if lost, ok := errors.AsType[*chat.LostError](err); ok && session.Conversation == "" { // nothing has begun
		return lost.Cause
	}
	return err
}

// terminal is the terminal that a stream is; nil if it is none.
func terminal(stream any) *os.File {
	if file, ok := stream.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}
