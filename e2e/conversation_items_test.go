package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	openaisdk "github.com/openai/openai-go/v3"
	openaiconversations "github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// in is a conversation as a response names it.
func in(conversation string) responses.ResponseNewParamsConversationUnion {
	return responses.ResponseNewParamsConversationUnion{OfString: openaisdk.String(conversation)}
}

// listed are the items of a conversation in short, in pages of a size.
func listed(t testing.TB, sdk openaisdk.Client, conversation string, order openaiconversations.ItemListParamsOrder, size int64) (said, ids []string) {
	t.Helper()
	pager := sdk.Conversations.Items.ListAutoPaging(t.Context(), conversation, openaiconversations.ItemListParams{Limit: openaisdk.Int(size), Order: order})
	for pager.Next() {
		said, ids = append(said, describe(t, pager.Current().RawJSON())), append(ids, pager.Current().ID)
	}
	require.NoError(t, pager.Err())
	return said, ids
}

func TestAConversationAndItsItemsThroughOpenAIsOwnSDK(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	made, err := sdk.Conversations.New(t.Context(), openaiconversations.ConversationNewParams{
		Metadata: shared.Metadata{"topic": "rain"}, Items: []responses.ResponseInputItemUnionParam{userSaid("first of all")},
	})
	require.NoError(t, err)
	require.Positive(t, made.CreatedAt)
	read, err := sdk.Conversations.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.JSONEq(t, made.RawJSON(), read.RawJSON())
	updated, err := sdk.Conversations.Update(t.Context(), made.ID, openaiconversations.ConversationUpdateParams{Metadata: shared.Metadata{"topic": "snow"}})
	require.NoError(t, err)
	require.JSONEq(t, strings.Replace(made.RawJSON(), "rain", "snow", 1), updated.RawJSON())

	added, err := sdk.Conversations.Items.New(t.Context(), made.ID, openaiconversations.ItemNewParams{Items: []responses.ResponseInputItemUnionParam{
		responses.ResponseInputItemParamOfMessage("noted", responses.EasyInputMessageRoleAssistant), userSaid("what is there?"),
		responses.ResponseInputItemParamOfFunctionCall(`{"city":"Rome"}`, "call_there", "weather"), toolSaid("call_there", "thunder"),
		responses.ResponseInputItemParamOfMessage("it thunders", responses.EasyInputMessageRoleAssistant),
	}})
	require.NoError(t, err)
	require.Len(t, added.Data, 5)
	require.Equal(t, added.Data[0].ID, added.FirstID)
	require.Equal(t, added.Data[4].ID, added.LastID)
	answered, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "spoken-claude", Conversation: in(made.ID), Input: said("and now?"), Tools: functions("weather")})
	require.NoError(t, err)
	require.Equal(t, made.ID, answered.Conversation.ID)

	want := []string{
		"message first of all", "message noted", "message what is there?", "function_call weather", "function_call_output thunder",
		"message it thunders", "message and now?", "message [anthropic/claude-sonnet-4-5-spoken] You said: and now?",
	}
	for _, size := range []int64{1, 2, 3, 100} {
		ascending, ids := listed(t, sdk, made.ID, openaiconversations.ItemListParamsOrderAsc, size)
		require.Equal(t, want, ascending, "pages of %d", size)
		descending, backward := listed(t, sdk, made.ID, openaiconversations.ItemListParamsOrderDesc, size)
		slices.Reverse(descending)
		slices.Reverse(backward)
		require.Equal(t, want, descending, "pages of %d", size)
		require.Equal(t, ids, backward)
		require.Equal(t, answered.Output[0].ID, ids[7], "an answer's items have the ids under which it was given")
		for i, id := range ids {
			item, err := sdk.Conversations.Items.Get(t.Context(), made.ID, id, openaiconversations.ItemGetParams{})
			require.NoError(t, err)
			require.Equal(t, id, item.ID)
			require.Equal(t, want[i], describe(t, item.RawJSON()))
		}
	}

	_, ids := listed(t, sdk, made.ID, openaiconversations.ItemListParamsOrderAsc, 2)
	left, err := sdk.Conversations.Items.Delete(t.Context(), made.ID, ids[1])
	require.NoError(t, err)
	require.Equal(t, made.ID, left.ID)
	_, err = sdk.Conversations.Items.Get(t.Context(), made.ID, ids[1], openaiconversations.ItemGetParams{})
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	_, err = sdk.Conversations.Items.Delete(t.Context(), made.ID, ids[1])
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	kept, _ := listed(t, sdk, made.ID, openaiconversations.ItemListParamsOrderAsc, 2)
	require.Equal(t, slices.Delete(slices.Clone(want), 1, 2), kept)

	deleted, err := sdk.Conversations.Delete(t.Context(), made.ID)
	require.NoError(t, err)
	require.True(t, deleted.Deleted)
	_, err = sdk.Conversations.Get(t.Context(), made.ID)
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	_, err = sdk.Conversations.Items.List(t.Context(), made.ID, openaiconversations.ItemListParams{})
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	_, err = sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "spoken-claude", Conversation: in(made.ID), Input: said("anybody there?")})
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	_, err = sdk.Responses.Get(t.Context(), answered.ID, responses.ResponseGetParams{})
	require.Equal(t, http.StatusNotFound, statusOf(t, err), "what was said in it goes with it")
}

// One conversation through all dialects, and at each vendor in turn: whoever is asked last knows all of it, in order, and the call
// that one dialect was told of is answered in another.
func TestAConversationGoesThroughAllDialects(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk, messages := holdfast.openAI(), holdfast.anthropic()
	schema := anthropicsdk.ToolInputSchemaParam{Properties: map[string]any{"city": map[string]any{"type": "string"}}, Required: []string{"city"}}
	chatTools := []openaisdk.ChatCompletionToolUnionParam{openaisdk.ChatCompletionFunctionTool(openaisdk.FunctionDefinitionParam{Name: "weather", Parameters: citySchema()})}
	for _, s := range spokenVendors() {
		t.Run(s.route, func(t *testing.T) {
			t.Parallel()
			conversation := holdfast.newConversation(t)
			chat := func(message openaisdk.ChatCompletionMessageParamUnion) openaisdk.ChatCompletionMessage {
				answer, err := sdk.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
					Model: s.route, Tools: chatTools, Messages: []openaisdk.ChatCompletionMessageParamUnion{message},
				}, option.WithJSONSet("conversation", conversation))
				require.NoError(t, err)
				return answer.Choices[0].Message
			}
			respond := func(item responses.ResponseInputItemUnionParam) *responses.Response {
				answer, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: s.route, Tools: functions("weather"), Conversation: in(conversation), Input: items(item)})
				require.NoError(t, err)
				return answer
			}
			message := func(block anthropicsdk.ContentBlockParamUnion) *anthropicsdk.Message {
				answer, err := messages.Messages.New(t.Context(), anthropicsdk.MessageNewParams{
					Model: s.route, MaxTokens: 1000, Messages: []anthropicsdk.MessageParam{anthropicsdk.NewUserMessage(block)},
					Tools: []anthropicsdk.ToolUnionParam{anthropicsdk.ToolUnionParamOfTool(schema, "weather")},
				}, anthropicoption.WithJSONSet("conversation", conversation))
				require.NoError(t, err)
				return answer
			}
			const call = "Please call the tool weather."
			require.Contains(t, chat(openaisdk.UserMessage("begun in chat")).Content, "begun in chat")
			byChat := chat(openaisdk.UserMessage("chat: " + call)).ToolCalls
			require.Len(t, byChat, 1)
			require.Contains(t, respond(toolSaid(byChat[0].ID, "dry")).OutputText(), "dry")
			byResponses := callsOf(respond(userSaid("responses: " + call)))
			require.Len(t, byResponses, 1)
			require.Contains(t, messageText(message(anthropicsdk.NewToolResultBlock(byResponses[0].CallID, "wet", false))), "wet")
			byMessages := toolUses(message(anthropicsdk.NewTextBlock("messages: " + call)))
			require.Len(t, byMessages, 1)
			require.Contains(t, chat(openaisdk.ToolMessage("foggy", byMessages[0].ID)).Content, "foggy")
			require.Contains(t, respond(userSaid("ended in responses "+conversation)).OutputText(), "ended in responses")

			said, _ := listed(t, sdk, conversation, openaiconversations.ItemListParamsOrderAsc, 100)
			want := []string{
				"message begun in chat", "You said: begun in chat", "message chat: " + call, "function_call weather", "function_call_output dry",
				"The tool answered", "message responses: " + call, "function_call weather", "function_call_output wet", "The tool answered",
				"message messages: " + call, "function_call weather", "function_call_output foggy", "The tool answered", "message ended in responses", "You said: ended in responses",
			}
			said = slices.DeleteFunc(said, func(item string) bool { // Cohere's models say what they are about to do
				return strings.HasPrefix(item, "reasoning") || strings.Contains(item, "I will use the weather tool")
			})
			require.Len(t, said, len(want), "%q", said)
			body := ""
			for _, call := range providers.Completions(s.vendor) {
				if strings.Contains(call.Text, "ended in responses "+conversation) {
					body = string(call.Body)
				}
			}
			last := -1
			for i, text := range want {
				require.Contains(t, said[i], text)
				if i == len(want)-1 {
					break // the answer
				}
				_, text, found := strings.Cut(text, " ")
				require.True(t, found)
				at := strings.Index(body[last+1:], text)
				require.GreaterOrEqual(t, at, 0, "%q is missing or out of order in what the vendor was told: %s", text, body)
				last += 1 + at
			}
			requireNoRefusal(t, providers, s.model)
		})
	}
}

func messageText(message *anthropicsdk.Message) string {
	var text strings.Builder
	for _, block := range message.Content {
		text.WriteString(block.Text)
	}
	return text.String()
}

func toolUses(message *anthropicsdk.Message) []anthropicsdk.ToolUseBlock {
	var uses []anthropicsdk.ToolUseBlock
	for _, block := range message.Content {
		if block.Type == "tool_use" {
			uses = append(uses, block.AsToolUse())
		}
	}
	return uses
}

// Sixteen write to one conversation at once, each until it has been heard: one at a time is, the others are told that it is busy.
func TestOneTurnAtATimeIsTakenInAConversation(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	providers.SetFault(simulator.OpenAI, simulator.Fault{Match: simulator.Match{Model: "gpt-written-at-once"}, Latency: 100 * time.Millisecond})
	conversation := holdfast.newConversation(t)
	const writers = 16
	var mu sync.Mutex
	var busy int
	var wrong []string
	var writing sync.WaitGroup
	for writer := range writers {
		writing.Go(func() {
			for t.Context().Err() == nil {
				_, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
					Model: "written-at-once", Conversation: in(conversation), Input: said(fmt.Sprintf("writer %d", writer)),
				})
				if err == nil {
					return
				}
				var failure *openaisdk.Error
				mu.Lock()
				if busy++; !errors.As(err, &failure) || failure.StatusCode != http.StatusConflict || failure.Code != "conversation_busy" {
					wrong = append(wrong, err.Error())
				}
				mu.Unlock()
				pass(t, 20*time.Millisecond)
			}
		})
	}
	writing.Wait()
	require.Empty(t, wrong)
	require.Positive(t, busy, "nobody met anybody: this test has tested nothing")
	turns := holdfast.turns(t, conversation)
	require.Len(t, turns, 2*writers)
	seen := map[string]bool{}
	for i := 0; i < len(turns); i += 2 {
		asked := strings.TrimPrefix(turns[i], "user: ")
		require.Equal(t, "assistant: [openai/gpt-written-at-once] You said: "+asked, turns[i+1], "an answer is not behind its question")
		require.False(t, seen[asked], "%s was heard twice", asked)
		seen[asked] = true
	}
	for _, call := range providers.Completions(simulator.OpenAI) {
		if call.Model == "gpt-written-at-once" {
			var messages []json.RawMessage
			require.NoError(t, json.Unmarshal(call.Messages, &messages))
			require.Equal(t, 1, len(messages)%2, "a turn was heard in the middle of another")
		}
	}
	t.Logf("%d were told to come back", busy)
}

func TestTwoAtOnceOnOneResponseAreBranches(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	root, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "spoken-openai", Input: said("the stem")})
	require.NoError(t, err)
	const branches = 8
	made := make([]*responses.Response, branches)
	failed := make([]error, branches)
	var growing sync.WaitGroup
	for i := range branches {
		growing.Go(func() {
			made[i], failed[i] = sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: "branched", PreviousResponseID: openaisdk.String(root.ID), Input: said(fmt.Sprintf("twig %d", i)),
			})
		})
	}
	growing.Wait()
	for i := range branches {
		require.NoError(t, failed[i])
		leaf, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{
			Model: "branched", PreviousResponseID: openaisdk.String(made[i].ID), Input: said(fmt.Sprintf("leaf %d", i)),
		})
		require.NoError(t, err)
		require.Contains(t, leaf.OutputText(), fmt.Sprintf("leaf %d", i))
	}
	for _, call := range providers.Completions(simulator.OpenAI) {
		if number, ok := strings.CutPrefix(call.Text, "leaf "); ok && call.Model == "gpt-branched" {
			require.Equal(t, 1, strings.Count(string(call.Body), `"the stem"`))
			require.Equal(t, 1, strings.Count(string(call.Body), `"twig `), "of one branch another is known")
			require.Contains(t, string(call.Body), `"twig `+number+`"`)
		}
	}
}
