package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/failover"
)

// ProviderDesk is where operators see what is known of providers, and say what is to be.
type ProviderDesk interface {
	// Domains are those that the routes' deployments belong to, the healthy ones too, as this process sees them.
	Domains() []ProviderDomain
	// Put writes an operator's word, whatever stands, and has every process go by it. It works without Temporal.
	Put(ctx context.Context, domain failover.Domain, next failover.Health) error
}

// ProviderDomain is what shares a fault or a limit, and what this process knows of it.
type ProviderDomain struct {
	Domain failover.Domain
	Health failover.Health
	// InFlight are the calls under way here; nil where they are not counted.
	InFlight *int
	// LimitUsed is the share of its limits that is gone, from 0 to 1; nil if no limit is known.
	LimitUsed *float64
}

// providerRecord is a domain as it is shown.
type providerRecord struct {
	Domain    failover.Domain       `json:"domain"`
	State     failover.BreakerState `json:"state"`
	Since     time.Time             `json:"since,omitzero"`
	Until     time.Time             `json:"until,omitzero"`
	Cause     failover.Cause        `json:"cause,omitempty"`
	Reason    string                `json:"reason,omitempty"`
	By        string                `json:"by,omitempty"`
	Held      bool                  `json:"held"`
	Streak    int                   `json:"streak"`
	InFlight  *int                  `json:"in_flight,omitempty"`
	LimitUsed *float64              `json:"limit_used,omitempty"`
}

func providerOf(d ProviderDomain) providerRecord {
	record := providerRecord{
		Domain: d.Domain, State: d.Health.State, Since: d.Health.Since, Until: d.Health.Until, Cause: d.Health.Cause, Reason: d.Health.Reason,
		By: d.Health.By, Held: d.Health.Held, Streak: max(0, d.Health.Streak), InFlight: d.InFlight, LimitUsed: d.LimitUsed,
	}
	if record.State == "" {
		record.State = failover.BreakerClosed
	}
	return record
}

// listProviders lists every domain, those that are not in order first.
func (a *admin) listProviders(c *gin.Context) {
	list := []providerRecord{}
	for _, domain := range a.cfg.Providers.Domains() {
		list = append(list, providerOf(domain))
	}
	well := func(r providerRecord) int {
		if r.State == failover.BreakerClosed && !r.Held {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b providerRecord) int { return well(a) - well(b) })
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": list})
}

// What an operator says goes to every process in one notice of PostgreSQL's, which is bounded.
const (
	longestReason = 500
	longestName   = 100
)

// operatorWord is what an operator says of a domain.
type operatorWord struct {
	Domain failover.Domain `json:"domain"`
	Reason string          `json:"reason"`
	By     string          `json:"by"`
	// For is how long it is to be open, such as "1h"; empty is until it is closed by hand.
	For string `json:"for"`
}

func (w operatorWord) check() (pause time.Duration, err error) {
	switch {
	case strings.TrimSpace(w.Reason) == "":
		return 0, invalid("reason", "missing_required_parameter", "Say why, as reason: whoever finds it later will want to know.")
	case len(w.Reason) > longestReason:
		return 0, invalid("reason", "invalid_value", "The reason is longer than 500 characters.")
	case len(w.By) > longestName:
		return 0, invalid("by", "invalid_value", "The name is longer than 100 characters.")
	case w.For == "":
		return 0, nil
	}
	if pause, err = time.ParseDuration(w.For); err != nil || pause <= 0 {
		return 0, invalid("for", "invalid_value", "for must be a time such as 30m or 2h.")
	}
	return pause, nil
}

// openProvider takes a domain out of service, closeProvider puts it back, holdProvider leaves it as it stands.
func (a *admin) openProvider(c *gin.Context) {
	a.changeProvider(c, actionOpen, func(_ failover.Health, now time.Time, pause time.Duration, word operatorWord) failover.Health {
		return failover.Opened(now, pause, word.By, word.Reason)
	})
}

func (a *admin) closeProvider(c *gin.Context) {
	a.changeProvider(c, "provider.close", func(_ failover.Health, now time.Time, _ time.Duration, word operatorWord) failover.Health {
		return failover.ClosedByHand(now, word.By, word.Reason)
	})
}

func (a *admin) holdProvider(c *gin.Context) {
	a.changeProvider(c, "provider.hold", func(standing failover.Health, now time.Time, _ time.Duration, word operatorWord) failover.Health {
		return standing.HeldAsIs(now, word.By, word.Reason)
	})
}

// actionOpen is what is audited of an opening, the only word that may be for a time.
const actionOpen = "provider.open"

func (a *admin) changeProvider(c *gin.Context, action string, change func(failover.Health, time.Time, time.Duration, operatorWord) failover.Health) {
	word := operatorWord{By: "operator"}
	if err := decodeJSON(c.Request.Body, &word); err != nil {
		a.fail(c, err)
		return
	}
	pause, err := word.check()
	if err == nil && word.For != "" && action != actionOpen {
		err = invalid("for", "invalid_value", "Only what is opened is so for a time.")
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	domains := a.cfg.Providers.Domains()
	at := slices.IndexFunc(domains, func(d ProviderDomain) bool { return d.Domain == word.Domain })
	if at < 0 {
		a.fail(c, noSuchDomain(word.Domain, domains))
		return
	}
	next := change(domains[at].Health, time.Now().UTC(), pause, word)
	if err := a.cfg.Providers.Put(c.Request.Context(), word.Domain, next); err != nil {
		a.fail(c, err)
		return
	}
	a.cfg.Logger.WarnContext(c.Request.Context(), "provider health set by an operator",
		"domain", word.Domain, "state", next.State, "until", next.Until, "held", next.Held, "by", next.By, "reason", next.Reason)
	a.audited(c, audit.Event{
		Action: action, Subject: string(word.Domain), Reason: word.Reason,
		Before: audit.Describe(providerOf(domains[at])), After: audit.Describe(providerOf(ProviderDomain{Domain: word.Domain, Health: next})),
	})
	c.JSON(http.StatusOK, providerOf(ProviderDomain{Domain: word.Domain, Health: next}))
}

// noSuchDomain names what may have been meant: what else is at the provider, or else the providers' places.
func noSuchDomain(name failover.Domain, known []ProviderDomain) *problem {
	var near, places []string
	for _, d := range known {
		text := string(d.Domain)
		if strings.EqualFold(d.Domain.Provider(), name.Provider()) || name != "" && strings.Contains(text, string(name)) {
			near = append(near, text)
		}
		if !strings.ContainsAny(text, "#/") {
			places = append(places, text)
		}
	}
	const most = 12
	if len(near) == 0 {
		near = places
	}
	message := "No deployment belongs to '" + string(name) + "'."
	if len(near) > 0 {
		message += " There is " + strings.Join(near[:min(most, len(near))], ", ")
		if len(near) > most {
			message += " and more"
		}
		message += "."
	}
	return notFound(message)
}
