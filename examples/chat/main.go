// Command chat asks Holdfast one question through OpenAI's own SDK: only the base URL and the token differ.
//
//	go run ./examples/chat "Hello"
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	if err := run(context.Background(), strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, question string) error {
	token, err := os.ReadFile(".holdfast/token")
	if err != nil {
		return fmt.Errorf("is 'make run' running here? %w", err)
	}
	client := openaisdk.NewClient(
		option.WithBaseURL("http://127.0.0.1:8080/v1"),
		option.WithAPIKey(strings.TrimSpace(string(token))),
	)
	answer, err := client.Chat.Completions.New(ctx, openaisdk.ChatCompletionNewParams{
		Model:    "demo",
		Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage(question)},
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, answer.Choices[0].Message.Content)
	return nil
}
