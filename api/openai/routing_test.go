package openai_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/api/dialect"
	"github.com/holdfast-dev/holdfast/api/openai"
)

const (
	aUser  = `"messages": [{"role": "user", "content": "hi"}]`
	aModel = `"model": "m", `
)

func TestWhatARequestAsksOfItsRoutingIsDecoded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"nothing":                   {aModel + `"models": [], "provider": {}, "tags": [], "cache": {}, "metadata": {"k": "v"}`, `null`},
		"what means nothing here":   {aModel + `"route": "fallback", "session_id": "s1", "transforms": [], "plugins": []`, `null`},
		"models":                    {aModel + `"models": ["m", "a", "b", "a"]`, `{"fallbacks": ["a", "b"]}`},
		"models alone":              {`"models": ["m", "a"]`, `{"fallbacks": ["a"]}`},
		"models that begin anew":    {aModel + `"models": ["a", "m"]`, `{"fallbacks": ["a"]}`},
		"fallbacks":                 {aModel + `"fallbacks": ["a", {"model": "b"}]`, `{"fallbacks": ["a", "b"]}`},
		"providers' other names":    {aModel + `"provider": {"order": ["Google AI Studio", "amazon-bedrock"], "only": ["OpenAI", "openai"], "ignore": ["google-vertex", "nobody"]}`, `{"order": ["gemini", "bedrock"], "only": ["openai"], "ignore": ["vertex", "nobody"]}`},
		"no fallbacks":              {aModel + `"provider": {"allow_fallbacks": false}`, `{"single": true}`},
		"fallbacks, as by default":  {aModel + `"provider": {"allow_fallbacks": true, "data_collection": "allow"}`, `null`},
		"no data collection":        {aModel + `"provider": {"data_collection": "deny", "zdr": true}`, `{"no_data_collection": true, "zero_data_retention": true}`},
		"sort":                      {aModel + `"provider": {"sort": "latency"}`, `{"sort": "latency"}`},
		"sort, at length":           {aModel + `"provider": {"sort": {"by": "price", "partition": "model"}}`, `{"sort": "price"}`},
		"prices":                    {aModel + `"provider": {"max_price": {"prompt": 1.25, "completion": "10"}}`, `{"max_input_price": 1250000, "max_output_price": 10000000}`},
		"a price of nothing":        {aModel + `"provider": {"max_price": {"prompt": 0}}`, `{"max_input_price": 0}`},
		"tags":                      {aModel + `"tags": ["paid"], "metadata": {"tags": ["eu", "paid"], "k": "v"}`, `{"tags": ["paid", "eu"]}`},
		"cache":                     {aModel + `"cache": {"no-cache": true, "no-store": true}`, `{"cache": {"no_read": true, "no_store": true}}`},
		"cache, with times":         {aModel + `"cache": {"use-cache": true, "ttl": 60, "s-maxage": 1.5}`, `{"cache": {"use": true, "ttl": 60000000000, "max_age": 1500000000}}`},
		"cache, nothing so young":   {aModel + `"cache": {"s-maxage": 0}`, `{"cache": {"no_read": true}}`},
		"parameters that must work": {aModel + `"provider": {"require_parameters": true}`, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chat, err := openai.DecodeChat([]byte(`{` + c.body + `, ` + aUser + `}`))
			require.NoError(t, err)
			require.Equal(t, "m", chat.Model)
			decoded, err := json.Marshal(chat.Routing)
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(decoded))

			vectors, err := openai.DecodeEmbeddings([]byte(`{` + c.body + `, "input": "hi"}`))
			require.NoError(t, err)
			require.Equal(t, "m", vectors.Model)
			require.Equal(t, chat.Routing, vectors.Routing, "embeddings are asked for in the same words")
			require.Equal(t, chat.Strict, vectors.Strict)
			require.Equal(t, name == "parameters that must work", chat.Strict)
		})
	}
}

func TestTagsAreNoNotes(t *testing.T) {
	t.Parallel()
	request, err := openai.DecodeChat([]byte(`{"model": "m", "metadata": {"tags": ["eu"], "team": "search"}, ` + aUser + `}`))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "search"}, request.Metadata)
	request, err = openai.DecodeChat([]byte(`{"model": "m", "metadata": {"tags": "eu"}, ` + aUser + `}`))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"tags": "eu"}, request.Metadata, "one text is a note, as at OpenAI")
	require.Nil(t, request.Routing)
}

func TestWhatCannotBeAskedOfRoutingIsRefusedByName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, param, code, says string }{
		"too many":               {`"models": ["1", "2", "3", "4", "5", "6", "7", "8", "9"]`, "models", "array_above_max_length", "8"},
		"models and fallbacks":   {`"models": ["a"], "fallbacks": ["b"]`, "fallbacks", "invalid_value", "not both"},
		"no name":                {`"models": ["a", ""]`, "models", "invalid_value", "empty"},
		"no list":                {`"models": "a"`, "models", "invalid_type", "models"},
		"another prompt":         {`"fallbacks": [{"model": "a", "messages": []}]`, "fallbacks", "invalid_value", "nothing else"},
		"unknown wish":           {`"provider": {"colour": "red"}`, "colour", "unknown_parameter", "colour"},
		"sort":                   {`"provider": {"sort": "beauty"}`, "provider.sort", "invalid_value", "throughput"},
		"sort, with more":        {`"provider": {"sort": {"by": "price", "desc": true}}`, "provider.sort", "invalid_value", "by"},
		"partition":              {`"provider": {"sort": {"by": "price", "partition": "none"}}`, "provider.sort", "unsupported_value", "partition"},
		"data collection":        {`"provider": {"data_collection": "maybe"}`, "provider.data_collection", "invalid_value", "deny"},
		"quantizations":          {`"provider": {"quantizations": ["fp8"]}`, "provider.quantizations", "unsupported_parameter", "quantized"},
		"distillable":            {`"provider": {"enforce_distillable_text": true}`, "provider.enforce_distillable_text", "unsupported_parameter", "distilled"},
		"throughput":             {`"provider": {"preferred_min_throughput": 50}`, "preferred_min_throughput", "unsupported_parameter", "provider.sort"},
		"price of images":        {`"provider": {"max_price": {"image": 1}}`, "image", "unknown_parameter", "image"},
		"price below nothing":    {`"provider": {"max_price": {"prompt": -1}}`, "provider.max_price", "invalid_value", "US dollars"},
		"price of words":         {`"provider": {"max_price": {"prompt": "cheap"}}`, "provider.max_price", "invalid_value", "US dollars"},
		"price too fine":         {`"provider": {"max_price": {"prompt": 0.00000001}}`, "provider.max_price", "invalid_value", "millionth"},
		"transforms":             {`"transforms": ["middle-out"]`, "transforms", "unsupported_parameter", "as it is"},
		"plugins":                {`"plugins": [{"id": "web"}]`, "plugins", "unsupported_parameter", "plugins"},
		"retries":                {`"num_retries": 3`, "num_retries", "unsupported_parameter", "operator"},
		"timeout":                {`"timeout": 3`, "timeout", "unsupported_parameter", "operator"},
		"test of fallbacks":      {`"mock_testing_fallbacks": true`, "mock_testing_fallbacks", "unsupported_parameter", "holdfast simulate"},
		"mocked answer":          {`"mock_response": "x"`, "mock_response", "unsupported_parameter", "holdfast simulate"},
		"cache for ever":         {`"cache": {"ttl": 1e12}`, "cache.ttl", "invalid_value", "year"},
		"cache for no time":      {`"cache": {"ttl": 0}`, "cache.ttl", "invalid_value", "above 0"},
		"cache before its time":  {`"cache": {"s-maxage": -1}`, "cache.s-maxage", "invalid_value", "seconds"},
		"cache in another place": {`"cache": {"namespace": "x"}`, "namespace", "unknown_parameter", "namespace"},
		"tag that is a number":   {`"metadata": {"tags": [1]}`, "metadata.tags", "invalid_type", "list of texts"},
		"note that is a number":  {`"metadata": {"k": 1}`, "metadata.k", "invalid_type", "text"},
		"no notes":               {`"metadata": "k"`, "metadata", "invalid_type", "object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, decode := range []func() error{
				func() error {
					_, err := openai.DecodeChat([]byte(`{` + aModel + c.body + `, ` + aUser + `}`))
					return err
				},
				func() error {
					_, err := openai.DecodeEmbeddings([]byte(`{` + aModel + c.body + `, "input": "hi"}`))
					return err
				},
			} {
				var invalid *dialect.InvalidError
				require.ErrorAs(t, decode(), &invalid)
				require.Equal(t, c.param, invalid.Param)
				require.Equal(t, c.code, invalid.Code)
				require.Contains(t, invalid.Message, c.says)
			}
		})
	}
}
