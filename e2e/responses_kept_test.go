package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

// A chain by previous_response_id has each turn once; a second response on an earlier one is a branch that knows nothing of what
// followed on the first.
func TestResponsesFollowOnEachOtherAndBranch(t *testing.T) {
	t.Parallel()
	holdfast, providers := speaking(t)
	sdk := holdfast.openAI()
	ask := func(route, text, previous string) *responses.Response {
		params := responses.ResponseNewParams{Model: route, Input: said(text), Instructions: openaisdk.String("Instructions for " + text)}
		if previous != "" {
			params.PreviousResponseID = openaisdk.String(previous)
		}
		made, err := sdk.Responses.New(t.Context(), params)
		require.NoError(t, err)
		require.Contains(t, made.OutputText(), "You said: "+text)
		require.Equal(t, previous, made.PreviousResponseID)
		return made
	}
	root := ask("spoken-openai", "the root", "")
	left := ask("spoken-claude", "the left branch", root.ID)
	leaf := ask("spoken-gemini", "the leaf of the left branch", left.ID)
	right := ask("branched", "the right branch", root.ID)

	body := providers.lastBody(t, simulator.OpenAI, "gpt-branched")
	require.Contains(t, body, "You said: the root")
	require.NotContains(t, body, "left branch")
	require.NotContains(t, body, "Instructions for the root", "instructions are for one request")
	require.Contains(t, body, "Instructions for the right branch")
	ask("branched", "and behind it", leaf.ID)
	_, body, _ = strings.Cut(providers.lastBody(t, simulator.OpenAI, "gpt-branched"), "Instructions for and behind it")
	last := -1
	for _, text := range []string{"the root", "You said: the root", "the left branch", "You said: the left branch", "the leaf of", "You said: the leaf of", "and behind it"} {
		at := strings.Index(body, text)
		require.Greater(t, at, last, "%q is missing or out of order in %s", text, body)
		last = at
	}
	require.NotContains(t, body, "the right branch")

	// What was followed on is deleted: then nobody can.
	require.NoError(t, sdk.Responses.Delete(t.Context(), right.ID))
	_, err := sdk.Responses.Get(t.Context(), right.ID, responses.ResponseGetParams{})
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	_, err = sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "branched", Input: said("x"), PreviousResponseID: openaisdk.String(right.ID)})
	requireInvalid(t, err, http.StatusBadRequest, "previous_response_not_found", "previous_response_id")
	_, err = sdk.Responses.InputItems.List(t.Context(), right.ID, responses.InputItemListParams{})
	require.Equal(t, http.StatusNotFound, statusOf(t, err))
	require.Equal(t, http.StatusNotFound, statusOf(t, sdk.Responses.Delete(t.Context(), right.ID)))
	ask("branched", "and the others stay", left.ID)
}

func statusOf(t testing.TB, err error) int {
	t.Helper()
	var failure *openaisdk.Error
	require.ErrorAs(t, err, &failure)
	return failure.StatusCode
}

func TestAResponseThatIsNotStoredIsGoneOnceItIsDelivered(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	for _, stream := range []bool{false, true} {
		params := responses.ResponseNewParams{Model: "spoken-openai", Input: said("keep nothing"), Store: openaisdk.Bool(false)}
		var made responses.Response
		if stream {
			made = newResponse(t, sdk, params).final
		} else {
			whole, err := sdk.Responses.New(t.Context(), params)
			require.NoError(t, err)
			made = *whole
		}
		require.Contains(t, made.RawJSON(), `"store":false`)
		require.Eventually(t, func() bool {
			_, err := sdk.Responses.Get(t.Context(), made.ID, responses.ResponseGetParams{})
			return err != nil
		}, soon, tick, "it can still be read")
		_, err := sdk.Responses.Get(t.Context(), made.ID, responses.ResponseGetParams{})
		require.Equal(t, http.StatusNotFound, statusOf(t, err))
		_, err = sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "spoken-openai", Input: said("x"), PreviousResponseID: openaisdk.String(made.ID)})
		requireInvalid(t, err, http.StatusBadRequest, "previous_response_not_found", "previous_response_id")
		_, err = sdk.Responses.New(t.Context(), responses.ResponseNewParams{
			Model: "spoken-openai", Input: items(userSaid("x"), responses.ResponseInputItemParamOfItemReference(made.Output[0].ID)),
		})
		requireInvalid(t, err, http.StatusBadRequest, "item_not_found", "input")
	}
}

func TestInputItemsArePagedThrough(t *testing.T) {
	t.Parallel()
	holdfast, _ := speaking(t)
	sdk := holdfast.openAI()
	made, err := sdk.Responses.New(t.Context(), responses.ResponseNewParams{Model: "spoken-openai", Input: items(
		userSaid("one"), responses.ResponseInputItemParamOfMessage("two", responses.EasyInputMessageRoleAssistant), userSaid("three"),
		responses.ResponseInputItemParamOfFunctionCall(`{"city":"Rome"}`, "call_four", "weather"), toolSaid("call_four", "five"), userSaid("six"),
	), Tools: functions("weather")})
	require.NoError(t, err)
	wanted := []string{"message one", "message two", "message three", "function_call weather", "function_call_output five", "message six"}
	for _, order := range []responses.InputItemListParamsOrder{responses.InputItemListParamsOrderAsc, responses.InputItemListParamsOrderDesc, ""} {
		want := slices.Clone(wanted)
		if order != responses.InputItemListParamsOrderAsc {
			slices.Reverse(want)
		}
		var byPages, after []string
		params := responses.InputItemListParams{Limit: openaisdk.Int(1), Order: order}
		for range wanted {
			page, err := sdk.Responses.InputItems.List(t.Context(), made.ID, params)
			require.NoError(t, err)
			require.Len(t, page.Data, 1)
			require.Equal(t, len(byPages) < len(wanted)-1, page.HasMore)
			byPages = append(byPages, describe(t, page.Data[0].RawJSON()))
			params.After = openaisdk.String(page.Data[0].ID)
			after = append(after, page.Data[0].ID)
		}
		require.Equal(t, want, byPages, order)
		require.Len(t, slices.Compact(after), len(wanted))

		var all []string
		pager := sdk.Responses.InputItems.ListAutoPaging(t.Context(), made.ID, responses.InputItemListParams{Limit: openaisdk.Int(4), Order: order})
		for pager.Next() {
			all = append(all, describe(t, pager.Current().RawJSON()))
		}
		require.NoError(t, pager.Err())
		require.Equal(t, want, all, order)
	}
	for name, params := range map[string]responses.InputItemListParams{
		"limit": {Limit: openaisdk.Int(101)}, "after": {After: openaisdk.String("msg_none")}, "order": {Order: "sideways"},
	} {
		_, err := sdk.Responses.InputItems.List(t.Context(), made.ID, params)
		require.Equal(t, http.StatusBadRequest, statusOf(t, err), name)
	}
}

// describe is an item in short: its type, and what it says.
func describe(t testing.TB, item string) string {
	t.Helper()
	var read struct {
		Type    string
		Name    string
		Output  any
		Content []struct{ Text string }
	}
	require.NoError(t, json.Unmarshal([]byte(item), &read), item)
	text := read.Name
	if read.Output != nil {
		text = fmt.Sprint(read.Output)
	}
	for _, part := range read.Content {
		text += part.Text
	}
	return read.Type + " " + text
}
