package mistral

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBeginningIsNotSaidTwice(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		begun  string
		pieces []string
		want   string
	}{
		"nothing begun":            {"", []string{"a", "b"}, "ab"},
		"in one piece":             {"One two", []string{"One two", " three"}, " three"},
		"in several":               {"One two", []string{"O", "ne t", "wo thr", "ee"}, " three"},
		"with what is new":         {"One two", []string{"One two three"}, " three"},
		"the blank moved on":       {"One ", []string{"One", " two"}, "two"},
		"the blank lost":           {"One ", []string{"One", "two"}, "two"},
		"not said again":           {"One", []string{" two", " three"}, " two three"},
		"begins alike":             {"One two", []string{"One", " of"}, "One of"},
		"ends alike":               {"One two", []string{"One"}, "One"},
		"nothing new":              {"One two", []string{"One two"}, ""},
		"nothing new and no blank": {"One ", []string{"One"}, ""},
		"said once more later":     {"One", []string{"One", "One"}, "One"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := repetition{begun: test.begun}
			got := ""
			for _, piece := range test.pieces {
				got += again.take(piece)
			}
			require.Equal(t, test.want, got+again.rest())
		})
	}
}
