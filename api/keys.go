package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/keys"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
)

// KeyVault is what the admin API changes of the vault. Package keys implements it.
type KeyVault interface {
	Add(ctx context.Context, entry keys.Entry) (keys.Info, error)
	Set(ctx context.Context, entry keys.Entry, former keys.Former) (keys.Info, error)
	Edit(ctx context.Context, provider, name string, attributes keys.Attributes) (keys.Info, error)
	Disable(ctx context.Context, provider, name string) (keys.Info, error)
	Enable(ctx context.Context, provider, name string) (keys.Info, error)
	Restore(ctx context.Context, provider, name string, version int) (keys.Info, error)
	List(ctx context.Context) ([]keys.Info, error)
	History(ctx context.Context, provider, name string) (keys.History, error)
	Rotations(ctx context.Context, provider, name string, limit int) ([]rotation.Rotation, error)
	Rewrap(ctx context.Context) (keys.Rewrapped, error)
}

// Rotator starts rotations. Its errors are those of keys, and [rotation.ErrNoPolicy].
type Rotator interface {
	// Rotate starts the rotation of a key, and gives the id of its workflow.
	Rotate(ctx context.Context, provider, name string, dryRun bool, because string) (workflow string, err error)
}

// rotationsLimit bounds a list of rotations.
const rotationsLimit = 200

func (a *admin) serveKeys(group *gin.RouterGroup) {
	group.GET("/keys", a.needs(access.ScopeKeysRead), a.listKeys)
	group.POST("/keys", a.needs(access.ScopeKeysWrite), a.addKey)
	group.PATCH("/keys/:provider/:name", a.needs(access.ScopeKeysWrite), a.editKey)
	group.POST("/keys/:provider/:name/disable", a.needs(access.ScopeKeysWrite), a.disableKey)
	group.POST("/keys/:provider/:name/enable", a.needs(access.ScopeKeysWrite), a.enableKey)
	group.POST("/keys/:provider/:name/restore", a.needs(access.ScopeKeysWrite), a.restoreKey)
	group.GET("/keys/:provider/:name/history", a.needs(access.ScopeKeysRead), a.keyHistory)
	group.GET("/rotations", a.needs(access.ScopeKeysRead), a.listRotations)
	group.POST("/keys/:provider/:name/rotate", a.needs(access.ScopeKeysWrite), a.rotateKey)
	group.POST("/vault/rewrap", a.needs(access.ScopeKeysWrite), a.rewrapVault)
}

func (a *admin) listKeys(c *gin.Context) {
	list, err := a.cfg.Vault.List(c.Request.Context())
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": list})
}

// keyAttributes are those of a request; what is missing stays as it is.
type keyAttributes struct {
	Account *string   `json:"account"`
	Weight  *int      `json:"weight"`
	Tenants *[]string `json:"tenants"`
	// ExpiresAt is RFC 3339; the empty text says that it is not known.
	ExpiresAt *string `json:"expires_at"`
	Handle    *string `json:"handle"`
}

func (k keyAttributes) attributes() (keys.Attributes, error) {
	attributes := keys.Attributes{Account: k.Account, Weight: k.Weight, Tenants: k.Tenants, Handle: k.Handle}
	if k.ExpiresAt == nil {
		return attributes, nil
	}
	attributes.ExpiresAt = &time.Time{}
	if *k.ExpiresAt == "" {
		return attributes, nil
	}
	parsed, err := time.Parse(time.RFC3339, *k.ExpiresAt)
	if err != nil {
		return attributes, invalid("expires_at", "invalid_value", "expires_at must be a time such as 2027-01-31T00:00:00Z, or empty.")
	}
	attributes.ExpiresAt = &parsed
	return attributes, nil
}

// addKey adds a key, or puts it in the place of another: with replace, or with former, which says what becomes of that.
func (a *admin) addKey(c *gin.Context) {
	var request struct {
		Provider string `json:"provider"`
		Name     string `json:"name"`
		Key      string `json:"key"`
		Source   string `json:"source"`
		Replace  bool   `json:"replace"`
		Former   string `json:"former"`
		keyAttributes
	}
	if err := decodeJSON(c.Request.Body, &request); err != nil {
		a.fail(c, err)
		return
	}
	attributes, err := request.attributes()
	if err != nil {
		a.fail(c, err)
		return
	}
	former := keys.FormerErased
	switch request.Former {
	case "", "erase":
	case "keep":
		former = keys.FormerKept
	default:
		a.fail(c, invalid("former", "invalid_value", "former must be erase or keep."))
		return
	}
	entry := keys.Entry{Provider: request.Provider, Name: request.Name, Key: llm.Secret(request.Key), Source: request.Source, Attributes: attributes}
	var info keys.Info
	if request.Replace || request.Former != "" {
		info, err = a.cfg.Vault.Set(c.Request.Context(), entry, former)
	} else {
		info, err = a.cfg.Vault.Add(c.Request.Context(), entry)
	}
	a.answerKey(c, info, err, "add")
}

func (a *admin) editKey(c *gin.Context) {
	var request keyAttributes
	if err := decodeJSON(c.Request.Body, &request); err != nil {
		a.fail(c, err)
		return
	}
	attributes, err := request.attributes()
	if err != nil {
		a.fail(c, err)
		return
	}
	info, err := a.cfg.Vault.Edit(c.Request.Context(), c.Param("provider"), c.Param("name"), attributes)
	a.answerKey(c, info, err, "edit")
}

func (a *admin) disableKey(c *gin.Context) {
	info, err := a.cfg.Vault.Disable(c.Request.Context(), c.Param("provider"), c.Param("name"))
	a.answerKey(c, info, err, "disable")
}

func (a *admin) enableKey(c *gin.Context) {
	info, err := a.cfg.Vault.Enable(c.Request.Context(), c.Param("provider"), c.Param("name"))
	a.answerKey(c, info, err, "enable")
}

func (a *admin) restoreKey(c *gin.Context) {
	var request struct {
		Version int `json:"version"`
	}
	if err := decodeJSON(c.Request.Body, &request); err != nil {
		a.fail(c, err)
		return
	}
	info, err := a.cfg.Vault.Restore(c.Request.Context(), c.Param("provider"), c.Param("name"), request.Version)
	a.answerKey(c, info, err, "restore")
}

func (a *admin) answerKey(c *gin.Context, info keys.Info, err error, change string) {
	if err != nil {
		a.fail(c, keyProblem(err))
		return
	}
	a.cfg.Logger.InfoContext(c.Request.Context(), "provider key changed", "change", change, "provider", info.Provider, "name", info.Name, "version", info.Version)
	c.JSON(http.StatusOK, info)
}

func (a *admin) keyHistory(c *gin.Context) {
	history, err := a.cfg.Vault.History(c.Request.Context(), c.Param("provider"), c.Param("name"))
	if err != nil {
		a.fail(c, keyProblem(err))
		return
	}
	c.JSON(http.StatusOK, history)
}

func (a *admin) listRotations(c *gin.Context) {
	list, err := a.cfg.Vault.Rotations(c.Request.Context(), "", "", rotationsLimit)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"object": "list", "data": list})
}

// rotateKey starts a rotation and does not wait for it.
func (a *admin) rotateKey(c *gin.Context) {
	var request struct {
		DryRun bool `json:"dry_run"`
	}
	if err := decodeJSON(c.Request.Body, &request); err != nil {
		a.fail(c, err)
		return
	}
	if a.cfg.Rotator == nil {
		a.fail(c, keyProblem(rotation.ErrNoPolicy))
		return
	}
	workflow, err := a.cfg.Rotator.Rotate(c.Request.Context(), c.Param("provider"), c.Param("name"), request.DryRun, audit.Actor(c.Request.Context())+" asked for it")
	if err != nil {
		a.fail(c, keyProblem(err))
		return
	}
	a.audited(c, audit.Event{Action: "key.rotation_asked", Subject: c.Param("provider") + "/" + c.Param("name"), Reason: workflow, After: audit.Describe(gin.H{"dry_run": request.DryRun})})
	c.JSON(http.StatusAccepted, gin.H{"workflow": workflow})
}

func (a *admin) rewrapVault(c *gin.Context) {
	done, err := a.cfg.Vault.Rewrap(c.Request.Context())
	if err != nil {
		a.fail(c, err)
		return
	}
	a.cfg.Logger.InfoContext(c.Request.Context(), "data keys wrapped anew", "keeper", done.Keeper, "done", done.Done, "left", len(done.Left))
	c.JSON(http.StatusOK, done)
}

func keyProblem(err error) error {
	conflict := func(code, message string) error {
		return &problem{status: http.StatusConflict, kind: "invalid_request_error", code: code, message: message}
	}
	switch {
	case errors.Is(err, keys.ErrExists):
		return conflict("key_exists", "A key of this provider and name exists: give --replace to replace it.")
	case errors.Is(err, keys.ErrRotating):
		return conflict("key_rotating", "The key is being rotated: see holdfast keys history.")
	case errors.Is(err, keys.ErrChanged):
		return conflict("key_changed", "The key, or its version, is not there to be changed like this: see holdfast keys history.")
	case errors.Is(err, keys.ErrElsewhere):
		return conflict("key_kept_elsewhere", "The key is read from elsewhere: rotate it there.")
	case errors.Is(err, rotation.ErrNoPolicy):
		return conflict("key_not_rotated", "The configuration does not say how this key is minted: see holdfast.keys.rotation.")
	case errors.Is(err, keys.ErrNotFound):
		return notFound("There is no key of this provider and name.")
	case errors.Is(err, keys.ErrBadName):
		return invalid("name", "invalid_value", keys.ErrBadName.Error())
	case errors.Is(err, keys.ErrBadKey):
		return invalid("key", "invalid_value", err.Error())
	case errors.Is(err, keys.ErrBadAttribute):
		return invalid("", "invalid_value", err.Error())
	default:
		return err
	}
}
