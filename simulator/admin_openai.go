package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// openAIAdmin holds service accounts by their projects.
type openAIAdmin map[string][]*openAIServiceAccount

type openAIServiceAccount struct {
	Object    string `json:"object"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	CreatedAt int64  `json:"created_at"`
	key       string
}

func (a *administration) newServiceAccount(project, name string, at time.Time) *openAIServiceAccount {
	account := &openAIServiceAccount{
		Object: "organization.project.service_account", ID: a.sim.ids.mint("user-", base62, 24), Name: name, Role: "member",
		CreatedAt: at.Unix(), key: a.sim.ids.mint("sk-svcacct-", base62, 48),
	}
	a.openAI[project] = append(a.openAI[project], account)
	a.sim.Issue(account.key)
	return account
}

// routeOpenAI takes /v1/organization/projects/{project}/service_accounts, and what is below.
func (a *administration) routeOpenAI(asked *adminAsked) bool {
	rest, ok := strings.CutPrefix(asked.r.URL.Path, "/v1/organization/projects/")
	if !ok {
		return false
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 2 || parts[1] != "service_accounts" {
		return false
	}
	asked.call.API, asked.call.Owner = AdminOpenAI, parts[0]
	switch {
	case len(parts) == 2 && asked.r.Method == http.MethodPost:
		asked.call.Operation, asked.run = AdminCreate, a.openAICreate
	case len(parts) == 2 && asked.r.Method == http.MethodGet:
		asked.call.Operation, asked.run = AdminList, a.openAIList
	case len(parts) == 3 && asked.r.Method == http.MethodDelete:
		asked.call.Operation, asked.call.Handle, asked.run = AdminDelete, parts[2], a.openAIDelete
	default:
		return false
	}
	run := asked.run
	asked.run = func(asked *adminAsked) adminReply {
		if !a.mayAll(strings.TrimPrefix(asked.r.Header.Get("Authorization"), "Bearer ")) {
			return openAIReply(openAIProtocol{}.badKey(asked.r, "unknown"))
		}
		if _, ok := a.openAI[asked.call.Owner]; !ok {
			return openAIReply(openAIInvalid("", "", "Project not found.").withStatus(http.StatusNotFound))
		}
		return run(asked)
	}
	return true
}

func openAIReply(e *wireError) adminReply {
	return adminReply{status: e.status, body: openAIProtocol{}.errorBody(e, "")}
}

func (a *administration) openAICreate(asked *adminAsked) adminReply {
	members, unknown, ok := strict(asked.body, "name", "create_service_account_only", "expires_in_seconds")
	if !ok {
		return openAIReply(openAIInvalid(unknown, "unknown_parameter", "Unknown parameter: '"+unknown+"'."))
	}
	name, ok := members.text("name")
	if !ok || name == "" {
		return openAIReply(openAIInvalid("name", "missing_required_parameter", "Missing required parameter: 'name'."))
	}
	account := a.newServiceAccount(asked.call.Owner, name, a.sim.now())
	asked.call.Handle = account.ID
	key := map[string]any{
		"object": "organization.project.service_account.api_key", "id": a.sim.ids.mint("key_", base62, 16), "name": "Secret Key",
		"value": account.key, "created_at": account.CreatedAt, "expires_at": nil,
	}
	if life, ok := members.number("expires_in_seconds"); ok {
		key["expires_at"] = account.CreatedAt + int64(life)
	}
	return jsonReply(http.StatusOK, struct {
		*openAIServiceAccount
		APIKey any `json:"api_key"`
	}{account, key})
}

// openAIList pages by the id of the last account of the page before.
func (a *administration) openAIList(asked *adminAsked) adminReply {
	query := asked.r.URL.Query()
	limit := 20
	if text := query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 100 {
			return openAIReply(openAIInvalid("limit", "integer_out_of_range", "Invalid 'limit': expected a value between 1 and 100."))
		}
	}
	accounts := a.openAI[asked.call.Owner]
	if after := query.Get("after"); after != "" {
		i := slices.IndexFunc(accounts, func(one *openAIServiceAccount) bool { return one.ID == after })
		if i < 0 {
			return openAIReply(openAIInvalid("after", "", "Invalid 'after'."))
		}
		accounts = accounts[i+1:]
	}
	page := accounts[:min(limit, len(accounts))]
	reply := map[string]any{"object": "list", "data": page, "has_more": len(accounts) > limit, "first_id": nil, "last_id": nil}
	if len(page) > 0 {
		reply["first_id"], reply["last_id"] = page[0].ID, page[len(page)-1].ID
	} else {
		reply["data"] = []any{}
	}
	return jsonReply(http.StatusOK, reply)
}

func (a *administration) openAIDelete(asked *adminAsked) adminReply {
	accounts := a.openAI[asked.call.Owner]
	i := slices.IndexFunc(accounts, func(one *openAIServiceAccount) bool { return one.ID == asked.call.Handle })
	if i < 0 {
		return openAIReply(openAIInvalid("", "", "Service account not found.").withStatus(http.StatusNotFound))
	}
	a.sim.Reject(accounts[i].key)
	a.openAI[asked.call.Owner] = slices.Delete(accounts, i, i+1)
	return jsonReply(http.StatusOK, map[string]any{
		"object": "organization.project.service_account.deleted", "id": asked.call.Handle, "deleted": true,
	})
}
