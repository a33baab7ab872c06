package routing

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/config"
	"github.com/holdfast-dev/holdfast/llm"
)

// door is a vendor that lets keys in, or not: to its free call, and to completions.
type door struct {
	llm.Provider
	free, completion llm.Kind
}

func refusal(kind llm.Kind) error {
	if kind == "" {
		return nil
	}
	return &llm.Error{Kind: kind, Provider: "openai"}
}

func (d door) Probe(context.Context, llm.Secret, string) error { return refusal(d.free) }

func (d door) Complete(context.Context, llm.Secret, llm.Request) (llm.Response, error) {
	return llm.Response{}, refusal(d.completion)
}

func TestAKeyIsTriedWhereverItsProviderIsCalled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		doors []door
		want  llm.Kind
	}{
		{"taken", []door{{}}, ""},
		{"refused", []door{{free: llm.KindCredential}}, llm.KindCredential},
		{"away", []door{{free: llm.KindTransient}}, llm.KindTransient},
		{"too busy to say, so let in", []door{{free: llm.KindRateLimit}}, ""},
		{"no free call", []door{{free: llm.KindUnsupported}}, ""},
		{"no free call, and refused", []door{{free: llm.KindUnsupported, completion: llm.KindCredential}}, llm.KindCredential},
		{"good for completions only", []door{{free: llm.KindModelAccess}}, ""},
		{"good for other models only", []door{{free: llm.KindModelAccess, completion: llm.KindModelAccess}}, ""},
		{"good at the second place", []door{{free: llm.KindCredential}, {}}, ""},
		{"nowhere called", nil, llm.KindModelGone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			table := &Table{deployments: map[string]deployment{"other": {Deployment: config.Deployment{Provider: "gemini"}, provider: door{}}}}
			for i, d := range c.doors {
				place := string(rune('a' + i))
				table.deployments[place] = deployment{Deployment: config.Deployment{Provider: "openai"}, provider: d, place: place}
			}
			err := table.Check(t.Context(), "openai", "key")
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.want, llm.KindOf(err))
		})
	}
}
