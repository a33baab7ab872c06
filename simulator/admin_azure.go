package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// azureAdmin holds the keys of resources, by their ids in lower case, and the tokens that Microsoft Entra has given.
type azureAdmin struct {
	resources map[string]*azureResource
	tokens    map[string]bool
}

type azureResource struct{ keys [2]string }

// resource gives a resource, which is made if there is none.
func (a *administration) resource(id string) *azureResource {
	id = strings.ToLower(id)
	if a.azure.resources[id] == nil {
		a.azure.resources[id] = &azureResource{}
		a.regenerate(id, 0)
		a.regenerate(id, 1)
	}
	return a.azure.resources[id]
}

// regenerate makes one of a resource's keys anew.
func (a *administration) regenerate(id string, which int) {
	keys := &a.azure.resources[id].keys
	if keys[which] != "" {
		a.sim.Reject(keys[which])
	}
	keys[which] = a.sim.ids.mint("", hexDigits, 32)
	a.sim.Issue(keys[which])
}

// routeAzure takes {tenant}/oauth2/v2.0/token, and the two actions below a resource's id.
func (a *administration) routeAzure(asked *adminAsked) bool {
	path := asked.r.URL.Path
	if asked.r.Method != http.MethodPost {
		return false
	}
	if tenant, ok := strings.CutSuffix(path, "/oauth2/v2.0/token"); ok && strings.Count(tenant, "/") == 1 {
		asked.call.API, asked.call.Operation, asked.run = AdminAzure, AdminToken, a.entraToken
		return true
	}
	if !strings.HasPrefix(path, "/subscriptions/") {
		return false
	}
	if id, ok := strings.CutSuffix(path, "/listKeys"); ok {
		asked.call.Operation, asked.call.Owner = AdminList, id
	} else if id, ok = strings.CutSuffix(path, "/regenerateKey"); ok {
		asked.call.Operation, asked.call.Owner = AdminCreate, id
	} else {
		return false
	}
	asked.call.API, asked.run = AdminAzure, a.azureKeys
	return true
}

func (a *administration) entraToken(asked *adminAsked) adminReply {
	refuse := func(status int, code, description string) adminReply {
		return jsonReply(status, map[string]any{"error": code, "error_description": description})
	}
	form, err := url.ParseQuery(string(asked.body))
	switch {
	case err != nil || form.Get("grant_type") != "client_credentials" || form.Get("client_id") == "":
		return refuse(http.StatusBadRequest, "invalid_request", "AADSTS900144: The request body must contain the parameters of the grant.")
	case !strings.HasSuffix(form.Get("scope"), "/.default"):
		return refuse(http.StatusBadRequest, "invalid_scope", "AADSTS1002012: The provided value for scope is not valid.")
	case !a.mayAll(form.Get("client_secret")):
		return refuse(http.StatusUnauthorized, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
	}
	token := a.sim.ids.mint("eyJ", base62, 64)
	a.azure.tokens[token] = true
	return jsonReply(http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3599, "access_token": token})
}

func (a *administration) azureKeys(asked *adminAsked) adminReply {
	refuse := func(status int, code, message string) adminReply {
		return jsonReply(status, map[string]any{"error": map[string]any{"code": code, "message": message}})
	}
	id := strings.ToLower(asked.call.Owner)
	resource := a.azure.resources[id]
	switch {
	case !a.azure.tokens[strings.TrimPrefix(asked.r.Header.Get("Authorization"), "Bearer ")]:
		return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	case asked.r.URL.Query().Get("api-version") == "":
		return refuse(http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	case resource == nil:
		return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource was not found.")
	}
	if asked.call.Operation == AdminCreate {
		members, _, ok := strict(asked.body, "keyName")
		name, _ := members.text("keyName")
		if !ok || name != "Key1" && name != "Key2" {
			return refuse(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid.")
		}
		asked.call.Handle = name
		a.regenerate(id, int(name[3]-'1'))
	}
	return jsonReply(http.StatusOK, map[string]any{"key1": resource.keys[0], "key2": resource.keys[1]})
}
