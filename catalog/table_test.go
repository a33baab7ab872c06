package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryRowIsSoundAndFoundByItsName(t *testing.T) {
	t.Parallel()
	table, err := parse(modelsCSV)
	require.NoError(t, err)
	require.Greater(t, len(table), 100)

	names, places := map[[2]string]bool{}, map[[3]string]string{}
	for _, r := range table {
		at := r.provider + " " + r.model
		require.False(t, names[[2]string{r.provider, strings.ToLower(r.model)}], "%s is there twice", at)
		names[[2]string{r.provider, strings.ToLower(r.model)}] = true
		place := [3]string{r.provider, r.name.region, r.name.family}
		require.Empty(t, places[place], "%s cannot be told from %s", at, places[place])
		places[place] = at

		for _, price := range []*int64{r.InputPrice, r.CacheReadPrice, r.CacheWritePrice} {
			if price != nil {
				require.Positive(t, *price, at)
			}
		}
		require.NotNil(t, r.InputPrice, at)
		require.NotNil(t, r.OutputPrice, at)
		if strings.Contains(r.model, "embedding") {
			require.Zero(t, *r.OutputPrice, "%s has no output to charge for", at)
		} else {
			require.Positive(t, *r.OutputPrice, at)
			require.GreaterOrEqual(t, *r.OutputPrice, *r.InputPrice, at)
			require.Positive(t, r.MaxOutput, at)
		}
		require.Positive(t, r.ContextWindow, at)
		require.GreaterOrEqual(t, r.ContextWindow, r.MaxOutput, at)

		found, ok := Find(r.provider, r.model)
		require.True(t, ok, at)
		require.Equal(t, r.Model, found, at)
		byFamily, ok := Find(r.provider, r.name.family)
		require.True(t, ok, at)
		if r.name.region == "" && !r.name.short {
			require.Equal(t, r.Model, byFamily, at)
		}
	}
}

func TestATableThatIsBrokenIsNotRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"empty":   {"", "EOF"},
		"columns": {"provider,model\n", "the columns are not"},
		"price":   {columns + "\na,b,x,,,,,,,\n", "models.csv:2: must be a number"},
		"count":   {columns + "\na,b,,,,,many,,,\n", "models.csv:2"},
		"fact":    {columns + "\na,b,,,,,,,maybe,\n", `"maybe" is neither yes nor no`},
		"name":    {columns + "\n,b,,,,,,,,\n", "names no provider"},
		"short":   {columns + "\na,b\n", "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(test.text)
			require.ErrorContains(t, err, test.want)
		})
	}
	parsed, err := parse(columns + "\na,b,,,,,,,,\n")
	require.NoError(t, err)
	require.Equal(t, Model{}, parsed[0].Model, "empty is unknown")
}
