package alerts

import (
	"fmt"
	"slices"
)

// Webhook is who is told, by its name in the configuration, and of what.
type Webhook struct {
	Name string
	// Kinds are what it is told of; everything if empty.
	Kinds []Kind
	// MinSeverity is the least that it is told of; [Info] if empty.
	MinSeverity Severity
}

// Severities lists them, the least first.
func Severities() []Severity { return []Severity{Info, Warning, Critical} }

// Takes says whether the webhook is to be told of an alert, and why. A test goes to every webhook: it is to show that each works.
func (w Webhook) Takes(kind Kind, severity Severity) (takes bool, reason string) {
	switch {
	case kind == KindTest:
		return true, "a test goes to every webhook"
	case len(w.Kinds) > 0 && !slices.Contains(w.Kinds, kind):
		return false, fmt.Sprintf("%s is not told of %s", w.Name, kind)
	case slices.Index(Severities(), severity) < slices.Index(Severities(), w.MinSeverity):
		return false, fmt.Sprintf("%s is told of what is %s at least, and this is %s", w.Name, w.MinSeverity, severity)
	}
	return true, fmt.Sprintf("%s is told of %s that is %s", w.Name, kind, severity)
}
