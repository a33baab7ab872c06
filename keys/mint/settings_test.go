package mint_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/keys/mint"
)

func TestSettingsAreCheckedAsAWhole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings mint.Settings
		wrong    string // the setting; "" if nothing is
	}{
		"openai":                {mint.Settings{Kind: "openai", Project: "proj_1"}, ""},
		"aws_iam":               {mint.Settings{Kind: "aws_iam", User: "caller", Endpoint: "https://iam.example"}, ""},
		"azure":                 {mint.Settings{Kind: "azure", Resource: resource, APIVersion: "2024-10-01"}, ""},
		"gcp":                   {mint.Settings{Kind: "gcp", Timeout: time.Second}, ""},
		"webhook":               {mint.Settings{Kind: "webhook", URL: "https://keys.example/mint?a=b"}, ""},
		"webhook on loopback":   {mint.Settings{Kind: "webhook", URL: "http://localhost:8080/mint"}, ""},
		"command":               {mint.Settings{Kind: "command", Command: []string{"/usr/bin/minter", "--x"}}, ""},
		"no kind":               {mint.Settings{}, "kind"},
		"unknown kind":          {mint.Settings{Kind: "ibm"}, "kind"},
		"no project":            {mint.Settings{Kind: "openai"}, "project"},
		"no user":               {mint.Settings{Kind: "aws_iam"}, "user"},
		"no resource":           {mint.Settings{Kind: "azure"}, "resource"},
		"no url":                {mint.Settings{Kind: "webhook"}, "url"},
		"no command":            {mint.Settings{Kind: "command"}, "command"},
		"project of another":    {mint.Settings{Kind: "aws_iam", User: "caller", Project: "proj_1"}, "project"},
		"endpoint of a program": {mint.Settings{Kind: "command", Command: []string{"/x"}, Endpoint: "https://x"}, "endpoint"},
		"project with a path":   {mint.Settings{Kind: "openai", Project: "../x"}, "project"},
		"user with a slash":     {mint.Settings{Kind: "aws_iam", User: "a/b"}, "user"},
		"resource of another":   {mint.Settings{Kind: "azure", Resource: "/subscriptions/1/resourceGroups/r/providers/Microsoft.Storage/accounts/a"}, "resource"},
		"no api version":        {mint.Settings{Kind: "azure", Resource: resource, APIVersion: "latest"}, "api_version"},
		"webhook in clear":      {mint.Settings{Kind: "webhook", URL: "http://keys.example/mint"}, "url"},
		"webhook with password": {mint.Settings{Kind: "webhook", URL: "https://u:s3cret@keys.example"}, "url"},
		"webhook of a file":     {mint.Settings{Kind: "webhook", URL: "file:///etc"}, "url"},
		"endpoint in clear":     {mint.Settings{Kind: "gcp", Endpoint: "http://iam.example"}, "endpoint"},
		"relative program":      {mint.Settings{Kind: "command", Command: []string{"minter"}}, "command"},
		"negative timeout":      {mint.Settings{Kind: "gcp", Timeout: -1}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.settings.Validate()
			minter, newErr := mint.New(test.settings, nil)
			require.Equal(t, err, newErr)
			if test.wrong == "" {
				require.NoError(t, err)
				require.NotNil(t, minter)
				return
			}
			problem, ok := errors.AsType[*mint.SettingError](err)
			require.True(t, ok)
			require.Equal(t, test.wrong, problem.Setting)
			require.NotContains(t, err.Error(), "s3cret")
			require.Nil(t, minter)
		})
	}
}

func TestKindsAreKnown(t *testing.T) {
	t.Parallel()
	kinds := mint.Kinds()
	require.Equal(t, []string{"aws_iam", "azure", "command", "gcp", "openai", "webhook"}, kinds)
	require.True(t, slices.IsSorted(kinds))
	needing := slices.DeleteFunc(kinds, func(kind string) bool { return !mint.NeedsAdmin(kind) })
	require.Equal(t, []string{"azure", "openai"}, needing)
	require.False(t, mint.NeedsAdmin("unknown"))
}
