package openai_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/llm"
)

func numbered(prefix string, n int) string { return prefix + strconv.Itoa(n) }

func TestItemsShowEverythingThatWasSaid(t *testing.T) {
	t.Parallel()
	user := llm.Message{Role: llm.RoleUser, Parts: []llm.Part{
		llm.Text("See:"), llm.Image(llm.Media{MIME: "image/png", Data: []byte{1}, Detail: "low"}), llm.Image(llm.Media{URL: "https://x/1.png"}),
		llm.Document(llm.Media{MIME: "application/pdf", Data: []byte{2}, Name: "a.pdf"}), llm.Document(llm.Media{URL: "https://x/a.pdf"}),
		llm.Audio(llm.Media{MIME: "audio/wav", Data: []byte{3}}),
	}}
	shown, err := json.Marshal(openai.Items(user, numbered))
	require.NoError(t, err)
	require.JSONEq(t, `[{"id":"msg0","type":"message","status":"completed","role":"user","content":[
		{"type":"input_text","text":"See:"},
		{"type":"input_image","image_url":"data:image/png;base64,AQ==","detail":"low"},
		{"type":"input_image","image_url":"https://x/1.png","detail":"auto"},
		{"type":"input_file","file_data":"data:application/pdf;base64,Ag==","filename":"a.pdf"},
		{"type":"input_file","file_url":"https://x/a.pdf"},
		{"type":"input_audio","input_audio":{"data":"Aw==","format":"wav"}}]}]`, string(shown))
	assistant := llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{
		{Type: llm.PartReasoning, Text: "Hm."}, {Type: llm.PartText, Text: "Yes.", Citations: []llm.Citation{{URL: "https://x"}}}, llm.Call("c", "f", "{}"),
	}}
	shown, err = json.Marshal(openai.Items(assistant, numbered))
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"id":"rs0","type":"reasoning","status":"completed","summary":[{"type":"summary_text","text":"Hm."}]},
		{"id":"msg1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Yes.","logprobs":[],
			"annotations":[{"type":"url_citation","url":"https://x","title":"","start_index":0,"end_index":0}]}]},
		{"id":"fc2","type":"function_call","status":"completed","call_id":"c","name":"f","arguments":"{}"}]`, string(shown))
}

func TestItemsKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	message := llm.Message{Role: llm.RoleAssistant, Parts: []llm.Part{
		{Type: llm.PartReasoning, Text: "Hm."}, llm.Text("a"), {Type: llm.PartRefusal, Text: "b"}, {Type: "erased"}, llm.Text("c"), llm.Call("x", "f", "{}"),
	}}
	ids := []string{}
	for _, item := range openai.Items(message, openai.AnswerItems(aCompletion)) {
		ids = append(ids, item.ID)
	}
	const own = "0123456789abcdefghijklmnop"
	require.Equal(t, []string{"rs_" + own + "_0", "msg_" + own + "_1", "msg_" + own + "_3", "fc_" + own + "_4"}, ids)
	require.Equal(t, []int{1, 2}, openai.PartsOf(message, 1))
	picked, ok := openai.PickItem(message, 1)
	require.True(t, ok)
	require.Equal(t, llm.Message{Role: llm.RoleAssistant, Parts: message.Parts[1:3]}, picked)
	for _, n := range []int{-1, 2, 5} {
		_, ok = openai.PickItem(message, n)
		require.False(t, ok)
		require.Nil(t, openai.PartsOf(message, n))
	}
	results := openai.Items(llm.Message{Role: llm.RoleTool, Parts: []llm.Part{llm.Result("x", "1"), llm.Result("y", "2")}}, openai.ConversationItems("conv_"+own, 7))
	require.Equal(t, "fco_"+own+"s7_1", results[1].ID)
}

func TestAnItemsIDSaysItsPlace(t *testing.T) {
	t.Parallel()
	const own = "0123456789abcdefghijklmnop"
	for id, want := range map[string]openai.ItemPlace{
		openai.AnswerItems(aCompletion)("msg", 3):             {Completion: aCompletion, Message: -1, Item: 3, Kind: "msg"},
		openai.RequestItems(aCompletion, 2)("fco", 0):         {Completion: aCompletion, Message: 2, Item: 0, Kind: "fco"},
		openai.ConversationItems("conv_"+own, 1<<40)("fc", 1): {Conversation: "conv_" + own, Seq: 1 << 40, Item: 1, Kind: "fc"},
	} {
		got, ok := openai.ParseItemID(id)
		require.True(t, ok, id)
		require.Equal(t, want, got, id)
		require.Equal(t, want.Message < 0, got.Answer())
	}
	for _, id := range []string{
		"", "msg_1", "msg_" + own, "msg_" + own + "_", "msg_" + own + "_01", "msg_" + own + "i_1", "msg_" + own + "i00_1", "msg_" + own + "x1_1", "ig_" + own + "_1",
		"msg_" + own + "_9999999999", "msg_" + own + "_1 ", "MSG_" + own + "_1",
	} {
		_, ok := openai.ParseItemID(id)
		require.False(t, ok, id)
	}
	require.Equal(t, "resp_"+own, openai.ResponseID(aCompletion))
	id, ok := openai.CompletionID("resp_" + own)
	require.True(t, ok)
	require.Equal(t, aCompletion, id)
	for _, id := range []string{"", "resp_", own, "resp_68", aCompletion, "resp_" + own + "_"} {
		_, ok := openai.CompletionID(id)
		require.False(t, ok, id)
	}
}
