package bedrock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/providertest"
)

func TestAProbeCountsTheTokensOfAWord(t *testing.T) {
	t.Parallel()
	const refused = "HTTP/1.1 400 Bad Request\r\nX-Amzn-Errortype: ValidationException\r\n\r\n"
	const denied = "HTTP/1.1 403 Forbidden\r\nX-Amzn-Errortype: AccessDeniedException\r\n\r\n"
	for name, c := range map[string]struct {
		model, answer, path string
		kind                llm.Kind // empty for none
	}{
		"a profile is asked by the name of its model": {claude, "HTTP/1.1 200 OK\r\n\r\n{\"inputTokens\":8}", "/model/anthropic.claude-sonnet-4-5-20250929-v1:0/count-tokens", ""},
		"what cannot be counted is an answer": {
			llama, refused + `{"message":"The provided model doesn't support counting tokens."}`, "/model/meta.llama3-3-70b-instruct-v1:0/count-tokens", "",
		},
		"a key that is refused":   {claude, denied + `{"message":"Authentication failed: Please make sure your API Key is valid."}`, "", llm.KindCredential},
		"a signature that is old": {claude, refused + `{"message":"The security token included in the request is expired"}`, "", llm.KindCredential},
		"an account that may not count": {
			claude, denied + `{"message":"User: arn:aws:iam::1:user/u is not authorized to perform: bedrock:CountTokens"}`, "", llm.KindUnsupported,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vendor := providertest.NewVendor(t, []byte(c.answer))
			prober, ok := open(t, vendor.URL, nil).(llm.Prober)
			require.True(t, ok)
			err := prober.Probe(t.Context(), providertest.Key, c.model)
			if c.kind == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, c.kind, llm.KindOf(err))
			}
			if c.path != "" {
				require.Equal(t, c.path, vendor.One(t).Path)
			}
		})
	}
}
