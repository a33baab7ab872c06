package config_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// Everything said about files that are refused is in one text to be read by a human.
func TestProblemsAreReportedAllAtOnceWithTheirLines(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)

	var report strings.Builder
	for _, file := range files {
		loaded, err := config.Load(file)
		require.Nil(t, loaded, file)
		var problems *config.Error
		require.ErrorAs(t, err, &problems, file)
		require.NotEmpty(t, problems.Problems, file)
		for _, problem := range problems.Problems {
			require.Positive(t, problem.Line, file)
		}
		fmt.Fprintf(&report, "%s\n\n", strings.ReplaceAll(err.Error(), "testdata/bad/", ""))
	}
	require.NotContains(t, report.String(), "CANARY", "a secret is repeated in a message")
	golden(t, "testdata/problems.golden", report.String())
}

func TestGoodFilesLoad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/good/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			loaded, err := config.Load(file)
			require.NoError(t, err)
			text, err := json.MarshalIndent(loaded, "", "  ")
			require.NoError(t, err)
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden.json", string(text)+"\n")
		})
	}
}

func TestAWeightedGroupOfTodaysGatewaysLoadsAsItStands(t *testing.T) {
	t.Parallel()
	loaded, err := config.Load("testdata/gateway-config.yaml")
	require.NoError(t, err)
	require.Empty(t, loaded.Warnings)
	require.Equal(t, []string{"gpt-4"}, loaded.RouteNames())
	require.Equal(t, 600*time.Second, loaded.Timeout)
	require.Equal(t, 2, loaded.Retries)

	route, ok := loaded.Route("gpt-4")
	require.True(t, ok)
	price := func(micros int64) *int64 { return &micros }
	facts := func(vision bool) map[string]bool { return map[string]bool{"vision": vision, "reasoning": false} }
	require.Equal(t, []config.Deployment{
		{
			ID: "gpt-4/openai/gpt-4/1", Provider: "openai", Model: "gpt-4", Mode: "chat",
			APIBase: "https://api.openai.com/v1", Weight: 5, Line: 4, InputPrice: price(30_000_000), OutputPrice: price(60_000_000),
			MaxInputTokens: 8192, MaxOutputTokens: 8192, Supports: facts(false),
		},
		{
			ID: "gpt-4/anthropic/claude-3-5-sonnet-20240620/1", Provider: "anthropic", Model: "claude-3-5-sonnet-20240620", Mode: "chat",
			APIBase: "https://api.anthropic.com", Weight: 3, Line: 9, InputPrice: price(3_000_000), OutputPrice: price(15_000_000),
			MaxInputTokens: 200_000, MaxOutputTokens: 8192, Supports: facts(true),
		},
		{
			ID: "gpt-4/gemini/gemini-1.5-pro/1", Provider: "gemini", Model: "gemini-1.5-pro", Mode: "chat",
			APIBase: "https://generativelanguage.googleapis.com", Weight: 2, Line: 14, InputPrice: price(1_250_000), OutputPrice: price(5_000_000),
			MaxInputTokens: 2_097_152, MaxOutputTokens: 8192, Supports: facts(true),
		},
	}, route.Deployments)

	_, ok = loaded.Route("gpt-5")
	require.False(t, ok)
}

func TestLoadNamesAFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := config.Load(filepath.Join(t.TempDir(), "absent.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "absent.yaml")
}

func TestAnOversizedFileIsRefused(t *testing.T) {
	t.Parallel()
	_, err := config.Parse("big.yaml", []byte(strings.Repeat("#\n", 3<<20)))
	require.EqualError(t, err, "big.yaml:1: is larger than 4 MiB")
}

func TestDemoHasItsRoutesAtTheGivenEndpoints(t *testing.T) {
	t.Parallel()
	bases := map[string]string{
		"openai": "http://127.0.0.1:1/openai/v1", "anthropic": "http://127.0.0.1:1/anthropic", "gemini": "http://127.0.0.1:1/g/",
	}
	demo, err := config.Demo(bases)
	require.NoError(t, err)
	require.Empty(t, demo.Warnings)
	require.Equal(t, []string{"demo", "gpt-4", "demo-embeddings", "gpt-4.1", "claude-sonnet-4-5", "gemini-2.5-flash"}, demo.RouteNames())

	route, _ := demo.Route("demo")
	var order []string
	for i, d := range route.Deployments {
		require.Equal(t, i+1, d.Order)
		order = append(order, d.Provider+" "+d.Model+" "+d.APIBase)
	}
	require.Equal(t, []string{
		"openai gpt-4.1 http://127.0.0.1:1/openai/v1",
		"anthropic claude-sonnet-4-5 http://127.0.0.1:1/anthropic",
		"gemini gemini-2.5-flash http://127.0.0.1:1/g",
	}, order)

	weighted, _ := demo.Route("gpt-4")
	weights := map[string]float64{}
	for _, d := range weighted.Deployments {
		weights[d.Provider] = d.Weight
	}
	require.Equal(t, map[string]float64{"openai": 5, "anthropic": 3, "gemini": 2}, weights)
	for _, name := range []string{"gpt-4.1", "claude-sonnet-4-5", "gemini-2.5-flash"} {
		single, ok := demo.Route(name)
		require.True(t, ok)
		require.Len(t, single.Deployments, 1)
		require.Equal(t, name, single.Deployments[0].Model)
	}

	delete(bases, "gemini")
	_, err = config.Demo(bases)
	require.ErrorContains(t, err, "endpoint of gemini")
}

// A mapping that is merged or repeated through anchors must cost what it is long, not what it expands to.
func TestNestedAnchorsDoNotMultiply(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("guardrails:\n  - &a0 {x: 1}\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&text, "  - &a%d {l: [*a%d, *a%d], m: *a%d, <<: [*a%d, *a%d]}\n", i, i-1, i-1, i-1, i-1, i-1)
	}
	text.WriteString("model_list:\n  - model_name: a\n    litellm_params: {model: openai/a, <<: *a59}\n")
	_, err := config.Parse("bomb.yaml", []byte(text.String()))
	require.ErrorContains(t, err, "unknown key")
}
