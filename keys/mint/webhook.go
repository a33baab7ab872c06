package mint

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/holdfast-dev/holdfast/llm"
)

// webhook asks an operator's own service for keys, signed as Standard Webhooks has it (www.standardwebhooks.com) with the admin
// credential, if there is one. The id of a request is the same at every try, so that the service knows it again.
type webhook struct {
	address  string
	exchange exchange
}

// Mint implements [Minter].
func (w webhook) Mint(ctx context.Context, request Request) (Minted, error) {
	answer, err := w.ask(ctx, actionMint, request, request.Handle)
	if err != nil {
		return Minted{}, err
	}
	return mintedBy("webhook: "+actionMint, answer, request)
}

// Abandon implements [Minter].
func (w webhook) Abandon(ctx context.Context, request Request) error {
	_, err := w.ask(ctx, actionAbandon, request, request.Handle)
	return err
}

// Revoke implements [Minter].
func (w webhook) Revoke(ctx context.Context, request Request, handle string) error {
	_, err := w.ask(ctx, actionRevoke, request, handle)
	return err
}

// ask sends a question and gives the answer.
func (w webhook) ask(ctx context.Context, action string, request Request, handle string) ([]byte, error) {
	operation := "webhook: " + action
	asked, err := newQuestion(action, request, handle)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	body, err := asked.encode()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	header, err := signed(request.ID+":"+action, time.Now(), body, request.Admin)
	if err != nil {
		return nil, err
	}
	answer, err := w.exchange.do(ctx, call{operation: operation, method: http.MethodPost, address: w.address, header: header, body: body})
	if err == nil && len(answer) > maxReply {
		err = fmt.Errorf("%s: %w", operation, errTooLong)
	}
	return answer, err
}

// signed makes the headers of a webhook's request.
func signed(id string, at time.Time, body []byte, secret llm.Secret) (http.Header, error) {
	header := http.Header{}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	if secret == "" {
		return header, nil
	}
	const problem = "webhook: the admin credential is no secret of Standard Webhooks: whsec_ and base64"
	signer, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		return nil, refuse(problem)
	}
	signature, err := signer.Sign(id, at, body)
	if err != nil {
		return nil, refuse(problem)
	}
	header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return header, nil
}
