package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/holdfast-dev/holdfast/alerts"
	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// sendTime bounds one delivery, its answer included.
	sendTime = 10 * time.Second
	// answerBytes is how much of an answer is read, so that its connection can be used again. Nothing of it is kept.
	answerBytes = 64 << 10
)

// VaultKey names a key of the vault; the zero value names none.
type VaultKey struct{ Provider, Name string }

// Endpoint is where one webhook is.
type Endpoint struct {
	Name string
	// URL is the address, if it is no secret; otherwise Key names the key of the vault that holds it.
	URL string
	Key VaultKey
	// Secret names the key of the vault that requests are signed with, in base64 behind whsec_; they are not signed without.
	Secret VaultKey
	// Format is [Slack] if empty.
	Format Format
}

// Secrets gives the vault's keys; ok is false where there is none in use.
type Secrets interface {
	Secret(provider, name string) (secret llm.Secret, ok bool)
}

// Error is why a webhook was not told. Its text says nothing of the address.
type Error struct {
	Webhook string
	// Status is the answer's; 0 if there was none.
	Status int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("webhook %s %s", e.Webhook, e.Reason) }

// Sender tells webhooks. It is safe for concurrent use.
type Sender struct {
	endpoints map[string]Endpoint
	secrets   Secrets
	client    *http.Client
	now       func() time.Time
}

// NewSender makes one for the endpoints. now is the clock of signatures: time.Now where it is nil.
func NewSender(endpoints []Endpoint, secrets Secrets, now func() time.Time) *Sender {
	s := &Sender{endpoints: map[string]Endpoint{}, secrets: secrets, now: now}
	for _, endpoint := range endpoints {
		s.endpoints[endpoint.Name] = endpoint
	}
	if now == nil {
		s.now = time.Now
	}
	s.client = &http.Client{Timeout: sendTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

// Send posts an alert, once. Every answer but 2xx is an [*Error], and so is none within ten seconds; a redirect is not followed. The
// header webhook-id is the alert's id: a receiver that has seen it before can pass over the repetition.
func (s *Sender) Send(ctx context.Context, webhook string, alert alerts.Alert) error {
	request, err := s.request(ctx, webhook, alert)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return &Error{Webhook: webhook, Reason: silence(err)}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, answerBytes)) // see answerBytes
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return &Error{Webhook: webhook, Status: response.StatusCode, Reason: "answered " + strconv.Itoa(response.StatusCode)}
	}
	return nil
}

func (s *Sender) request(ctx context.Context, webhook string, alert alerts.Alert) (*http.Request, error) {
	endpoint, known := s.endpoints[webhook]
	if !known {
		return nil, &Error{Webhook: webhook, Reason: "is not in the configuration of this process"}
	}
	address, secret := endpoint.URL, false
	if address == "" {
		held, ok := s.secrets.Secret(endpoint.Key.Provider, endpoint.Key.Name)
		if !ok {
			return nil, &Error{Webhook: webhook, Reason: noKey("address", endpoint.Key)}
		}
		address, secret = held.Reveal(), true
	}
	if reason := CheckAddress(address, secret); reason != "" {
		return nil, &Error{Webhook: webhook, Reason: "has an address that " + reason}
	}
	body, err := bodyOf(endpoint.Format, alert)
	if err != nil {
		return nil, fmt.Errorf("encode alert %s: %w", alert.ID, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil { // which repeats the address
		return nil, &Error{Webhook: webhook, Reason: "has an address that nothing can be sent to"}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "holdfast")
	request.Header.Set(standardwebhooks.HeaderWebhookID, alert.ID)
	return request, s.sign(request, endpoint, alert.ID, body)
}

// sign proves to the receiver who it is that tells it, as Standard Webhooks has it.
func (s *Sender) sign(request *http.Request, endpoint Endpoint, id string, body []byte) error {
	if endpoint.Secret == (VaultKey{}) {
		return nil
	}
	secret, ok := s.secrets.Secret(endpoint.Secret.Provider, endpoint.Secret.Name)
	if !ok {
		return &Error{Webhook: endpoint.Name, Reason: noKey("secret", endpoint.Secret)}
	}
	now := s.now()
	signer, err := standardwebhooks.NewWebhook(secret.Reveal())
	var signature string
	if err == nil {
		signature, err = signer.Sign(id, now, body)
	}
	if err != nil {
		return &Error{Webhook: endpoint.Name, Reason: "cannot be signed for: its secret is not base64 behind whsec_"}
	}
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return nil
}

func noKey(what string, key VaultKey) string {
	return fmt.Sprintf("has no %s: the vault holds no key %s/%s that is in use", what, key.Provider, key.Name)
}

// silence says why there was no answer, without the address that the client's own error holds.
func silence(err error) string {
	var timeout interface{ Timeout() bool }
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return "was not waited for"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("did not answer within %.0f s", sendTime.Seconds())
	case errors.As(err, &certificate):
		return "has a certificate that is not trusted"
	}
	return "could not be reached"
}
