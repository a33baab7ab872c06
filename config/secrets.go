package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// secretValue matches the forms of the vendors' keys, wherever they turn up.
var secretValue = regexp.MustCompile(
	`(^|[^A-Za-z0-9])(sk-[A-Za-z0-9_-]{8,}|AIza[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{12,}|gsk_[A-Za-z0-9]{16,}|xai-[A-Za-z0-9]{16,}|hf_[A-Za-z0-9_-]{16,})`)

var environName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func looksSecret(text string) bool { return secretValue.MatchString(text) }

// isSecretName says whether a key of this name holds a secret, in any section.
func isSecretName(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	exact := []string{
		"api_key", "apikey", "master_key", "salt_key", "aws_access_key_id", "password", "passwd", "secret", "token",
		"authorization", "credentials", "private_key", "encryption_key",
	}
	if slices.Contains(exact, name) {
		return true
	}
	if strings.HasSuffix(name, "_per_token") {
		return false
	}
	for _, ending := range []string{
		"_api_key", "_secret_key", "_access_key", "_private_key", "_secret", "_password", "_token", "_credentials",
	} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// refuseSecret reports p if it is a secret, in clear or by reference, and says whether it did. Values are never shown. A key that is
// used, whatever it is called, does not hold a secret: at most it names one.
func (r *reader) refuseSecret(p pair, path string, used bool) bool {
	value := ""
	if p.value.Kind == yaml.ScalarNode {
		if isNull(p.value) || p.value.Value == "" {
			return false
		}
		value = p.value.Value
	}
	switch {
	case p.name == "database_url":
		return r.refuseDatabaseURL(p, path, value)
	case looksSecret(p.name):
		r.refuse(p.key, path, "", "")
	case p.name == "master_key":
		r.problem(p.key, path, "there is no master key; remove the line and run: holdfast tokens create")
	case isSecretName(p.name) && !used || looksSecret(value):
		r.refuse(p.key, path, p.name, value)
	default:
		return false
	}
	return true
}

// refuse reports the secret that n names, with what to do instead. Of value only a variable's name may show.
func (r *reader) refuse(n *yaml.Node, path, name, value string) {
	what, variable := "a secret may not be in this file", "KEY"
	if reference, ok := strings.CutPrefix(value, environPrefix); ok {
		what = "secrets are not read from the environment"
		if environName.MatchString(reference) && !looksSecret(reference) {
			variable = reference
		}
	}
	lower := strings.ToLower(name)
	if !r.inDeployment && !strings.Contains(lower, "api_key") && !looksSecret(value) && name != "" {
		r.problem(n, path, "%s, and nothing here uses this one; remove the line", what)
		return
	}
	provider := r.provider
	for _, known := range builtProviders() {
		if provider == "" && strings.Contains(lower, known) {
			provider = known
		}
	}
	r.problem(n, path, "%s; remove the line and run: %s", what, addCommand(variable, provider))
}

func (r *reader) refuseDatabaseURL(p pair, path, value string) bool {
	if strings.HasPrefix(value, environPrefix) {
		if value == environPrefix+"DATABASE_URL" {
			return false // which is where Holdfast looks itself
		}
		r.problem(p.key, path, "not read from here; remove the line and set DATABASE_URL in the environment")
		return true
	}
	u, err := url.Parse(value)
	_, hasPassword := "", false
	if err == nil {
		_, hasPassword = u.User.Password()
		hasPassword = hasPassword || u.Query().Has("password")
	}
	if err != nil || hasPassword || strings.Contains(value, "password") {
		r.problem(p.key, path, "a password may not be in this file; remove the line and set DATABASE_URL in the environment")
		return true
	}
	return false
}

// refuseSecretsBelow looks for secrets in a value whose keys are not checked otherwise, and says whether it found any.
func (r *reader) refuseSecretsBelow(n *yaml.Node, path string) bool {
	before := len(r.problems)
	r.scan(n, path, map[*yaml.Node]bool{})
	return len(r.problems) > before
}

func (r *reader) scan(n *yaml.Node, path string, visited map[*yaml.Node]bool) {
	n = resolve(n)
	if visited[n] {
		return // anchors may form cycles, and repeat each other many times over
	}
	visited[n] = true
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := resolve(n.Content[i]), resolve(n.Content[i+1])
			at := join(path, key.Value)
			if key.Kind != yaml.ScalarNode || !r.refuseSecret(pair{name: key.Value, key: key, value: value}, at, false) {
				r.scan(value, at, visited)
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			r.scan(item, fmt.Sprintf("%s[%d]", path, i), visited)
		}
	default:
		if looksSecret(n.Value) {
			r.refuse(n, path, "", n.Value)
		}
	}
}

// addCommand is how a provider's key, held in a variable of the shell, gets into the vault.
func addCommand(variable, provider string) string {
	if provider == "" {
		provider = "<provider>"
	}
	return fmt.Sprintf(`printf %%s "$%s" | holdfast keys add %s --name main`, variable, provider)
}
