package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A message that sends a key to a section that does not know it would send its reader in circles.
func TestKeysAreKnownWhereTheyAreSentTo(t *testing.T) {
	t.Parallel()
	for _, home := range homes() {
		for _, key := range home.keys {
			deployment, rest := "litellm_params: {model: openai/gpt-4.1}", ""
			switch home.section {
			case "litellm_params":
				deployment = fmt.Sprintf("litellm_params: {%s: {}}", key)
			case "model_info":
				deployment += fmt.Sprintf(", model_info: {%s: {}}", key)
			default:
				rest = fmt.Sprintf("{%s: {}}", key)
				sections := strings.Split(strings.ReplaceAll(home.section, "<name>", "chat"), ".")
				for i := len(sections) - 1; i > 0; i-- {
					rest = fmt.Sprintf("{%s: %s}", sections[i], rest)
				}
				rest = sections[0] + ": " + rest
			}
			_, err := Parse("test.yaml", []byte("model_list: [{model_name: chat, "+deployment+"}]\n"+rest+"\n"))
			if problems, ok := errors.AsType[*Error](err); ok {
				require.NotContains(t, problems.Error(), "unknown key", "%s in %s", key, home.section)
			}
			require.NotEmpty(t, homeOf(key))
		}
	}
}

// What is used is not said to be unused.
func TestNoKeyIsUsedAndUnused(t *testing.T) {
	t.Parallel()
	unused := map[string]map[string]string{
		"router_settings": unusedRouterSettings(), "litellm_params": unusedParams(), "model_info": unusedModelInfo(),
		"litellm_settings": unusedLiteLLMSettings(), "general_settings": unusedGeneralSettings(),
		"litellm_settings.cache_params": unusedCacheParams(),
	}
	for _, home := range homes() {
		for _, key := range home.keys {
			require.NotContains(t, unused[home.section], key)
		}
	}
}
