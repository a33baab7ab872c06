package metrics

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-dev/holdfast/alerts"
)

// readTime bounds the reading of one source: a scrape lasts ten seconds by default.
const readTime = 3 * time.Second

// Key is what is told of a provider's key.
type Key struct {
	Provider, Name string
	// State is one of the vault's words, such as active.
	State string
	// ExpiresAt is when the key ends; nil if it does not, or if that is not known.
	ExpiresAt *time.Time
}

// KeyStates tells of the keys.
type KeyStates interface {
	KeyStates(ctx context.Context) ([]Key, error)
}

// AlertCounts counts alerts by kind and severity, and deliveries by webhook and state. Package alerts implements it.
type AlertCounts interface {
	Counts(ctx context.Context) (raised, deliveries []alerts.Count, err error)
}

// Config is what there is to tell of. What is nil is left out; Logger and Now may be nil, too.
type Config struct {
	Keys   KeyStates
	Alerts AlertCounts
	// KeeperReachable says whether the vault's keeper has answered last.
	KeeperReachable func() bool
	Logger          *slog.Logger
	Now             func() time.Time
}

// Collector is a [prometheus.Collector] of the sources of its [Config].
type Collector struct {
	cfg                                                  Config
	up, raised, deliveries, state, expiresIn, keeperUpIs *prometheus.Desc
}

// New makes one.
func New(cfg Config) *Collector {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("holdfast_"+name, help, labels, nil)
	}
	return &Collector{
		cfg:        cfg,
		up:         desc("metrics_source_up", "Whether the source of metrics has answered this scrape.", "source"),
		raised:     desc("alerts_raised_total", "Alerts raised.", "kind", "severity"),
		deliveries: desc("alert_deliveries_total", "Deliveries of alerts that were made, or given up.", "webhook", "state"),
		state:      desc("key_info", "The state of a provider's key; always 1.", "provider", "name", "state"),
		expiresIn:  desc("key_expires_in_seconds", "How long until a provider's key ends; negative when it has ended.", "provider", "name"),
		keeperUpIs: desc("keeper_reachable", "Whether the keeper of the vault has answered last."),
	}
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.up, c.raised, c.deliveries, c.state, c.expiresIn, c.keeperUpIs} {
		ch <- desc
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	if c.cfg.Alerts != nil {
		gauge(c.up, c.read("alerts", func(ctx context.Context) error {
			raised, deliveries, err := c.cfg.Alerts.Counts(ctx)
			if err != nil {
				return err
			}
			for desc, counts := range map[*prometheus.Desc][]alerts.Count{c.raised: raised, c.deliveries: deliveries} {
				for _, count := range counts {
					ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(count.Count), count.Name, count.Of)
				}
			}
			return nil
		}), "alerts")
	}
	if c.cfg.Keys != nil {
		gauge(c.up, c.read("keys", func(ctx context.Context) error {
			keys, err := c.cfg.Keys.KeyStates(ctx)
			for _, key := range keys {
				gauge(c.state, 1, key.Provider, key.Name, key.State)
				if key.ExpiresAt != nil {
					gauge(c.expiresIn, key.ExpiresAt.Sub(c.cfg.Now()).Seconds(), key.Provider, key.Name)
				}
			}
			return err
		}), "keys")
	}
	if c.cfg.KeeperReachable != nil {
		gauge(c.keeperUpIs, oneIf(c.cfg.KeeperReachable()))
	}
}

// read reads one source, and says as 1 or 0 whether it has answered.
func (c *Collector) read(source string, read func(context.Context) error) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), readTime) // a scrape gives no context to its collectors
	defer cancel()
	err := read(ctx)
	if err != nil {
		c.cfg.Logger.WarnContext(ctx, "metrics left out", "source", source, "error", err)
	}
	return oneIf(err == nil)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
