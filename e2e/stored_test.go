package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"
)

func TestStoredChatCompletionsThroughOpenAIsOwnSDK(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	ask := func(route, text, batch string, store bool) *openaisdk.ChatCompletion {
		made, err := sdk.Chat.Completions.New(t.Context(), openaisdk.ChatCompletionNewParams{
			Model: route, Store: openaisdk.Bool(store), Metadata: shared.Metadata{"batch": batch, "text": text},
			Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.SystemMessage("Be brief."), openaisdk.UserMessage(text)},
		})
		require.NoError(t, err)
		return made
	}
	var ids []string
	for i := range 5 {
		ids = append(ids, ask("stored", fmt.Sprintf("to be kept %d", i), "one", true).ID)
	}
	other := ask("stored-other", "kept too", "one", true)
	elsewhere := ask("stored", "of another batch", "two", true)
	passing := ask("stored", "not to be kept", "one", false)

	list := func(params openaisdk.ChatCompletionListParams) []string {
		var found []string
		pager := sdk.Chat.Completions.ListAutoPaging(t.Context(), params)
		for pager.Next() {
			found = append(found, pager.Current().ID)
		}
		require.NoError(t, pager.Err())
		return found
	}
	one := shared.Metadata{"batch": "one"}
	for _, limit := range []int64{1, 2, 100} {
		require.Equal(t, append(slices.Clone(ids), other.ID), list(openaisdk.ChatCompletionListParams{Metadata: one, Limit: openaisdk.Int(limit)}), "pages of %d", limit)
		backward := list(openaisdk.ChatCompletionListParams{Metadata: one, Limit: openaisdk.Int(limit), Order: openaisdk.ChatCompletionListParamsOrderDesc})
		slices.Reverse(backward)
		require.Equal(t, append(slices.Clone(ids), other.ID), backward, "pages of %d", limit)
	}
	require.Equal(t, ids[2:3], list(openaisdk.ChatCompletionListParams{Metadata: shared.Metadata{"batch": "one", "text": "to be kept 2"}}))
	require.Equal(t, []string{elsewhere.ID}, list(openaisdk.ChatCompletionListParams{Metadata: shared.Metadata{"batch": "two"}}))
	require.NotContains(t, list(openaisdk.ChatCompletionListParams{Limit: openaisdk.Int(100)}), passing.ID)
	require.Empty(t, list(openaisdk.ChatCompletionListParams{Metadata: shared.Metadata{"batch": "three"}}))
	byModel := list(openaisdk.ChatCompletionListParams{Metadata: one, Model: openaisdk.String(other.Model)})
	require.Equal(t, []string{other.ID}, byModel, "the model that an answer shows finds it")

	read, err := sdk.Chat.Completions.Get(t.Context(), ids[0])
	require.NoError(t, err)
	require.Equal(t, "[openai/gpt-stored] You said: to be kept 0", read.Choices[0].Message.Content)
	changed, err := sdk.Chat.Completions.Update(t.Context(), ids[0], openaisdk.ChatCompletionUpdateParams{Metadata: shared.Metadata{"batch": "moved"}})
	require.NoError(t, err)
	require.Equal(t, ids[0], changed.ID)
	require.Contains(t, changed.RawJSON(), `"batch":"moved"`)
	require.Equal(t, ids[:1], list(openaisdk.ChatCompletionListParams{Metadata: shared.Metadata{"batch": "moved"}}))
	require.Equal(t, append(slices.Clone(ids[1:]), other.ID), list(openaisdk.ChatCompletionListParams{Metadata: one}))

	var messages []string
	pager := sdk.Chat.Completions.Messages.ListAutoPaging(t.Context(), ids[0], openaisdk.ChatCompletionMessageListParams{Limit: openaisdk.Int(1)})
	for pager.Next() {
		messages = append(messages, pager.Current().Content)
		require.NotEmpty(t, pager.Current().ID)
	}
	require.NoError(t, pager.Err())
	require.Equal(t, []string{"Be brief.", "to be kept 0"}, messages)

	gone, err := sdk.Chat.Completions.Delete(t.Context(), ids[0])
	require.NoError(t, err)
	require.True(t, gone.Deleted)
	require.Equal(t, ids[0], gone.ID)
	_, err = sdk.Chat.Completions.Get(t.Context(), ids[0])
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	_, err = sdk.Chat.Completions.Delete(t.Context(), ids[0])
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	_, err = sdk.Chat.Completions.Update(t.Context(), ids[0], openaisdk.ChatCompletionUpdateParams{Metadata: one})
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	page, err := sdk.Chat.Completions.Messages.List(t.Context(), ids[0], openaisdk.ChatCompletionMessageListParams{})
	require.Error(t, err, "%+v", page)
	require.Empty(t, list(openaisdk.ChatCompletionListParams{Metadata: shared.Metadata{"batch": "moved"}}))
	require.Equal(t, "succeeded", holdfast.record(t, ids[0]).State, "its numbers stay")
}
