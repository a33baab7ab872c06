package webhook

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/alerts"
)

// Format is what a webhook reads.
type Format string

// The formats.
const (
	// Slack is an incoming webhook's {"text": …}, which Mattermost and Discord (at /slack) read, too. It holds nothing else: Slack
	// does not say that it passes over members that it does not know.
	Slack Format = "slack"
	// JSON is {"type", "timestamp", "data"}, as Standard Webhooks recommends, with the alert's members as data.
	JSON Format = "json"
)

// Formats lists them; the first is the default.
func Formats() []Format { return []Format{Slack, JSON} }

// event is what a webhook of [JSON] reads.
type event struct {
	Type      string       `json:"type"`
	Timestamp time.Time    `json:"timestamp"`
	Data      alerts.Alert `json:"data"`
}

// message is what Slack reads.
type message struct {
	Text string `json:"text"`
}

// bodyOf is an alert in the format.
func bodyOf(format Format, alert alerts.Alert) ([]byte, error) {
	if format == JSON {
		return json.Marshal(event{Type: "alert." + string(alert.Kind), Timestamp: alert.RaisedAt.UTC(), Data: alert})
	}
	return json.Marshal(message{Text: fmt.Sprintf("*[%s] %s: %s*\n%s\n_%s, %s_", alert.Severity, plain(alert.Subject), plain(alert.Title), plain(alert.Text),
		alert.Kind, alert.ID)})
}

// plain is a text in which Slack sees no links and no mentions.
func plain(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
