package mint

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

const (
	openAIEndpoint = "https://api.openai.com"
	// openAILabel begins the names of the service accounts made here; the rotation's id follows.
	openAILabel = "holdfast-"
	// openAIPage is the largest page of a listing, and openAIPages how many are read.
	openAIPage  = "100"
	openAIPages = 100
)

var validAccount = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// openAI makes service accounts of one project, each with one key
// (platform.openai.com/docs/api-reference/project-service-accounts). The account's name bears the rotation's id, so that what a
// lost answer left behind is found.
type openAI struct {
	accounts string // address of the project's service accounts
	exchange exchange
}

func newOpenAI(settings Settings, x exchange) openAI {
	base := strings.TrimSuffix(cmp.Or(settings.Endpoint, openAIEndpoint), "/")
	return openAI{base + "/v1/organization/projects/" + url.PathEscape(settings.Project) + "/service_accounts", x}
}

// openAIAccount is a service account as it is listed.
type openAIAccount struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Mint implements [Minter].
func (o openAI) Mint(ctx context.Context, request Request) (Minted, error) {
	if err := o.Abandon(ctx, request); err != nil {
		return Minted{}, err
	}
	const operation = "openai: create a service account"
	var made struct {
		ID     string `json:"id"`
		APIKey struct {
			Value     string `json:"value"`
			ExpiresAt int64  `json:"expires_at"` // Unix seconds; null if it does not expire
		} `json:"api_key"`
	}
	err := o.exchange.ask(ctx, call{operation: operation, method: http.MethodPost, address: o.accounts, bearer: request.Admin},
		map[string]string{"name": openAILabel + request.ID}, &made)
	if err != nil {
		return Minted{}, err
	}
	if made.ID == "" || made.APIKey.Value == "" {
		return Minted{}, refuse("%s: the answer holds no key", operation)
	}
	minted := Minted{Key: llm.Secret(made.APIKey.Value), Handle: made.ID, Former: request.Handle}
	if made.APIKey.ExpiresAt > 0 {
		minted.ExpiresAt = time.Unix(made.APIKey.ExpiresAt, 0)
	}
	return minted, nil
}

// Abandon implements [Minter].
func (o openAI) Abandon(ctx context.Context, request Request) error {
	if err := demand(request, true); err != nil {
		return err
	}
	accounts, err := o.list(ctx, request.Admin)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if account.Name != openAILabel+request.ID || account.ID == request.Handle {
			continue
		}
		if err := o.remove(ctx, request.Admin, account.ID); err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}

// Revoke implements [Minter].
func (o openAI) Revoke(ctx context.Context, request Request, handle string) error {
	if err := demand(request, true); err != nil {
		return err
	}
	if !validAccount.MatchString(handle) {
		return refuse("openai: the handle is no id of a service account: delete the key by hand")
	}
	gone := o.remove(ctx, request.Admin, handle)
	if !isGone(gone) {
		return gone
	}
	// A project that does not exist is answered like an account that does not.
	accounts, err := o.list(ctx, request.Admin)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if account.ID == handle {
			return gone
		}
	}
	return nil
}

func (o openAI) remove(ctx context.Context, admin llm.Secret, id string) error {
	_, err := o.exchange.do(ctx, call{
		operation: "openai: delete a service account", method: http.MethodDelete, address: o.accounts + "/" + url.PathEscape(id), bearer: admin,
	})
	return err
}

// list gives all service accounts of the project.
func (o openAI) list(ctx context.Context, admin llm.Secret) ([]openAIAccount, error) {
	const operation = "openai: list service accounts"
	var accounts []openAIAccount
	query := url.Values{"limit": {openAIPage}}
	for range openAIPages {
		var page struct {
			Data    []openAIAccount `json:"data"`
			HasMore bool            `json:"has_more"`
		}
		err := o.exchange.ask(ctx, call{operation: operation, method: http.MethodGet, address: o.accounts + "?" + query.Encode(), bearer: admin}, nil, &page)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, page.Data...)
		if !page.HasMore || len(page.Data) == 0 {
			return accounts, nil
		}
		query.Set("after", page.Data[len(page.Data)-1].ID)
	}
	return nil, refuse("%s: the project has more than can be looked through", operation)
}
