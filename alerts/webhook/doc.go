// Package webhook tells one webhook of one alert, once. A Slack webhook's address is a secret, and so is what requests are signed
// with: no error says anything of either.
package webhook
