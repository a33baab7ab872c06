package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/config"
)

// Routes that stand in another file would be missing without a word.
func TestIncludedFilesAreNotPassedOverInSilence(t *testing.T) {
	t.Parallel()
	_, err := config.Parse("test.yaml", []byte("include: [other.yaml]\nmodel_list:\n  - {model_name: m, litellm_params: {model: openai/gpt-4.1}}\n"))
	require.ErrorContains(t, err, "include: is not read: put what the included files hold into this one")
}
