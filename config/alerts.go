package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/alerts/webhook"
)

// Alerts says what operators are told, and where (holdfast.alerts).
type Alerts struct {
	// Webhooks are told of alerts; without any, alerts are only kept.
	Webhooks []Webhook
	// Expiry are the times before a key's end at which it is told that it ends, the longest first.
	Expiry []time.Duration
}

// Webhook is one that is told of alerts.
type Webhook struct {
	Name string
	// URL is its address, if that is no secret; otherwise Key names the key of the vault that holds it.
	URL string
	Key webhook.VaultKey
	// Secret names the key of the vault that requests are signed with; they are not signed without.
	Secret webhook.VaultKey
	// Kinds are what it is told of, everything if empty; MinSeverity is the least that it is told of.
	Kinds       []alerts.Kind
	MinSeverity alerts.Severity
	Format      webhook.Format
}

const day = 24 * time.Hour

func defaultExpiry() []time.Duration { return []time.Duration{30 * day, 7 * day, day} }

// webhookName is fit for the id of a workflow.
var webhookName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// alerts reads holdfast.alerts.
func (r *reader) alerts(settings *Alerts) use {
	return func(path string, n *yaml.Node) {
		r.section(n, path, map[string]use{
			"webhooks": r.webhooks(&settings.Webhooks),
			"expiry":   r.expiry(&settings.Expiry),
		}, nil)
	}
}

func (r *reader) webhooks(target *[]Webhook) use {
	return func(path string, n *yaml.Node) {
		items, ok := r.sequence(n, path)
		if !ok {
			return
		}
		lines := map[string]int{}
		for i, item := range items {
			read := r.webhook(fmt.Sprintf("%s[%d]", path, i), item)
			if line, taken := lines[read.Name]; taken && read.Name != "" {
				r.problem(item, fmt.Sprintf("%s[%d].name", path, i), "is that of the webhook on line %d; each needs a name of its own", line)
			}
			lines[read.Name] = item.Line
			*target = append(*target, read)
		}
	}
}

func (r *reader) webhook(path string, n *yaml.Node) Webhook {
	read := Webhook{MinSeverity: alerts.Info, Format: webhook.Formats()[0]}
	present := r.section(n, path, map[string]use{
		"name":         r.webhookName(&read.Name),
		"url":          r.webhookURL(&read.URL),
		"key":          r.vaultKey(&read.Key),
		"secret":       r.vaultKey(&read.Secret),
		"kinds":        r.kinds(&read.Kinds),
		"min_severity": r.choice((*string)(&read.MinSeverity), texts(alerts.Severities())),
		"format":       r.choice((*string)(&read.Format), texts(webhook.Formats())),
	}, nil)
	switch {
	case present == nil:
	case !present["name"]:
		r.problem(n, path, "needs a name, such as name: oncall")
	case present["url"] && present["key"]:
		r.problem(n, path, "has url and key; leave one out: url for an address that is no secret, key for one that the vault holds")
	case !present["url"] && !present["key"]:
		r.problem(n, path, "needs its address: url for one that is no secret, or key for one that the vault holds, such as key: alerts/slack")
	}
	return read
}

func texts[T ~string](words []T) []string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return list
}

func (r *reader) webhookName(target *string) use {
	return func(path string, n *yaml.Node) {
		name, ok := r.text(path, n)
		switch {
		case !ok:
		case !webhookName.MatchString(name):
			r.problem(n, path, "must be 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit")
		default:
			*target = name
		}
	}
}

// storeInVault is how something that is no provider's key gets into the vault.
func storeInVault(variable, name string) string {
	return fmt.Sprintf(`printf %%s "$%s" | holdfast keys add alerts --name %s`, variable, name)
}

// webhookURL takes an address that is no secret. Slack's and Discord's are.
func (r *reader) webhookURL(target *string) use {
	return func(path string, n *yaml.Node) {
		address, ok := r.text(path, n)
		if !ok {
			return
		}
		reason := webhook.CheckAddress(address, false)
		if strings.Contains(address, "hooks.slack.com/") || strings.Contains(address, "/api/webhooks/") {
			reason = "is an address that whoever knows it can write to, and so a secret"
		}
		if reason != "" {
			r.problem(n, path, "%s; keep a secret address in the vault: %s, and write key: alerts/slack here", reason, storeInVault("URL", "slack"))
			return
		}
		*target = address
	}
}

// vaultKey takes the name of a key of the vault. What is none may be the secret itself, and is not repeated.
func (r *reader) vaultKey(target *webhook.VaultKey) use {
	return func(path string, n *yaml.Node) {
		text, ok := r.text(path, n)
		if !ok {
			return
		}
		provider, name, _ := strings.Cut(text, "/")
		if !webhookName.MatchString(provider) || !webhookName.MatchString(name) {
			r.problem(n, path, "must name a key of the vault as provider/name, such as alerts/slack; what it holds goes there: %s", storeInVault("SECRET", "slack"))
			return
		}
		*target = webhook.VaultKey{Provider: provider, Name: name}
	}
}

func (r *reader) kinds(target *[]alerts.Kind) use {
	return func(path string, n *yaml.Node) {
		items, ok := r.sequence(n, path)
		for i, item := range items {
			at := fmt.Sprintf("%s[%d]", path, i)
			if kind, known := r.oneOf(at, item, texts(alerts.Kinds())); known {
				*target = append(*target, alerts.Kind(kind))
			}
		}
		if ok && len(items) == 0 {
			r.problem(n, path, "is empty; leave it out for all kinds: %s", strings.Join(texts(alerts.Kinds()), ", "))
		}
	}
}

// expiry reads a list of times before a key's end. An empty one says that nobody is told.
func (r *reader) expiry(target *[]time.Duration) use {
	return func(path string, n *yaml.Node) {
		items, ok := r.sequence(n, path)
		if !ok {
			return
		}
		*target = []time.Duration{}
		for i, item := range items {
			at := fmt.Sprintf("%s[%d]", path, i)
			before, isDays := daysOf(item)
			if !isDays {
				parsed, err := time.ParseDuration(item.Value)
				if item.Kind != yaml.ScalarNode || err != nil {
					r.problem(item, at, "must be a number of days such as 30d, or a duration such as 12h")
					continue
				}
				before = parsed
			}
			switch {
			case before < time.Hour || before > 365*day:
				r.problem(item, at, "must be at least an hour and at most 365d")
			case slices.Contains(*target, before):
				r.problem(item, at, "stands here twice")
			default:
				*target = append(*target, before)
			}
		}
		slices.SortFunc(*target, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	}
}
