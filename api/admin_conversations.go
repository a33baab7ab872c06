package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
)

// ConversationDesk is what operators read of conversations. Package conversations implements it.
type ConversationDesk interface {
	ListStanding(ctx context.Context, ask conversations.Listing) ([]conversations.Standing, error)
	Standing(ctx context.Context, tenant, id string) (conversations.Standing, error)
	Items(ctx context.Context, id string, after int64, limit int) ([]conversations.Item, error)
	ItemsBackward(ctx context.Context, id string, before int64, limit int) ([]conversations.Item, error)
}

// eraseTime is how long an erasure may take until its answer is no longer written. What was erased by then stays erased.
const eraseTime = 15 * time.Minute

func (a *admin) serveConversations(group *gin.RouterGroup) {
	group.GET("/conversations", a.needs(access.ScopeConversationsRead), a.listConversations)
	group.GET("/conversations/:id", a.needs(access.ScopeConversationsRead), a.showConversation)
	group.GET("/conversations/:id/items", a.needs(access.ScopeConversationsRead), a.listConversationItems)
	group.GET("/conversations/:id/export", a.needs(access.ScopeConversationsRead), a.exportConversation)
	group.DELETE("/conversations/:id", a.needs(access.ScopeConversationsWrite), a.eraseConversation)
	group.GET("/users/export", a.needs(access.ScopeConversationsRead), a.exportUser)
	group.DELETE("/users", a.needs(access.ScopeConversationsWrite), a.eraseUser)
}

// noted logs that an operator has come at what was said, by whose and which it was, never by what it says.
func (a *admin) noted(c *gin.Context, what, tenant string, more ...any) {
	a.cfg.Logger.InfoContext(c.Request.Context(), "an operator has come at what was said",
		append([]any{"who", principalOf(c).Actor(), "what", what, "tenant", tenant}, more...)...)
}

// standingRecord is a conversation as operators read it.
type standingRecord struct {
	Object       string            `json:"object"`
	ID           string            `json:"id"`
	Tenant       string            `json:"tenant"`
	Thread       bool              `json:"thread,omitempty"`
	Parent       string            `json:"parent,omitempty"`
	Metadata     map[string]string `json:"metadata"`
	CreatedAt    time.Time         `json:"created_at"`
	LastTurnAt   time.Time         `json:"last_turn_at"`
	Items        int64             `json:"items"`
	Tokens       int64             `json:"tokens"`
	Active       string            `json:"active_completion,omitempty"`
	LastProvider string            `json:"last_provider,omitempty"`
	LastModel    string            `json:"last_model,omitempty"`
	Forks        []string          `json:"forks,omitempty"`
}

func standingOf(at conversations.Standing) standingRecord {
	return standingRecord{
		Object: "holdfast.conversation", ID: at.ID, Tenant: at.Tenant, Thread: at.Thread, Parent: at.Parent, Metadata: at.Metadata,
		CreatedAt: at.CreatedAt, LastTurnAt: at.ActiveAt, Items: at.Items, Tokens: at.Tokens, Active: at.Active,
		LastProvider: at.LastProvider, LastModel: at.LastModel, Forks: at.Forks,
	}
}

func (a *admin) listConversations(c *gin.Context) {
	limit, err := pageLimit(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	ask := conversations.Listing{Tenant: c.Query("tenant"), Threads: c.Query("threads") == "true", After: c.Query("after"), Limit: limit + 1}
	list, err := a.cfg.Conversations.ListStanding(c.Request.Context(), ask)
	if err != nil {
		a.fail(c, err)
		return
	}
	records := make([]standingRecord, 0, len(list))
	for _, at := range list {
		records = append(records, standingOf(at))
	}
	a.noted(c, "list conversations", ask.Tenant)
	c.JSON(http.StatusOK, page(records, limit, func(r standingRecord) string { return r.ID }))
}

// conversation is the one, or the thread,, that the request names.
func (a *admin) conversation(c *gin.Context) (conversations.Standing, error) {
	id := c.Param("id")
	if !conversations.ValidID(id) && !conversations.ValidThreadID(id) {
		return conversations.Standing{}, conversations.ErrNotFound
	}
	return a.cfg.Conversations.Standing(c.Request.Context(), c.Query("tenant"), id)
}

func (a *admin) showConversation(c *gin.Context) {
	at, err := a.conversation(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.noted(c, "show a conversation", at.Tenant, "conversation", at.ID)
	c.JSON(http.StatusOK, standingOf(at))
}

// listConversationItems pages through the log as it stands, newest first unless order=asc, but for the bytes of files, which the
// export has. The place to go on behind is an item's number.
func (a *admin) listConversationItems(c *gin.Context) {
	at, err := a.conversation(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	limit, err := pageLimit(c)
	var oldest bool
	if err == nil {
		oldest, err = ascending(c, "desc")
	}
	after := int64(0)
	if text := c.Query("after"); err == nil && text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			err = invalid("after", "invalid_value", "after must be the seq of an item.")
		}
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	read := a.cfg.Conversations.ItemsBackward
	if oldest {
		read = a.cfg.Conversations.Items
	}
	items, err := read(c.Request.Context(), at.ID, after, limit+1)
	if err != nil {
		a.fail(c, err)
		return
	}
	listed := make([]store.ExportedItem, 0, len(items))
	for _, item := range items {
		item.Message.Parts = withoutBytes(item.Message.Parts)
		listed = append(listed, store.ExportItem(item))
	}
	a.noted(c, "read a conversation", at.Tenant, "conversation", at.ID, "items", min(limit, len(items)))
	c.JSON(http.StatusOK, page(listed, limit, func(item store.ExportedItem) string { return strconv.FormatInt(item.Seq, 10) }))
}

// withoutBytes are parts of which files are named, not given.
func withoutBytes(parts []llm.Part) []llm.Part {
	parts = slices.Clone(parts)
	for i, part := range parts {
		if part.Media != nil {
			media := *part.Media
			media.Data = nil
			parts[i].Media = &media
		}
		if part.ToolResult != nil {
			result := *part.ToolResult
			result.Parts = withoutBytes(result.Parts)
			parts[i].ToolResult = &result
		}
	}
	return parts
}

func (a *admin) exportConversation(c *gin.Context) {
	at, err := a.conversation(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.noted(c, "export a conversation", at.Tenant, "conversation", at.ID)
	a.export(c, at.ID, func(ctx context.Context, write func(store.ExportLine) error) error {
		return a.cfg.Record.ExportConversation(ctx, at.Tenant, at.ID, write)
	})
}

func (a *admin) eraseConversation(c *gin.Context) {
	at, err := a.conversation(c)
	var erased completions.Erasure
	if err == nil {
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(eraseTime)) // not supported by test recorders
		erased, err = a.cfg.Record.EraseConversation(c.Request.Context(), at.Tenant, at.ID)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	a.noted(c, "erase a conversation", at.Tenant, "conversation", at.ID, "conversations", erased.Conversations, "completions", erased.Completions)
	a.audited(c, audit.Event{Action: "conversation.erase", Subject: at.ID, Before: audit.Describe(gin.H{"tenant": at.Tenant, "items": at.Items}), After: audit.Describe(erased)})
	c.JSON(http.StatusOK, erasureOf("conversation", at.ID, erased))
}

// endUser is whom the request names. Their tenant has to be named too: somebody of the same name elsewhere is somebody else.
func (a *admin) endUser(c *gin.Context) (tenant, user string, err error) {
	tenant, user = c.Query("tenant"), c.Query("user")
	switch {
	case user == "":
		err = invalid("user", "missing_required_parameter", "Name the end user.")
	case tenant == "":
		err = invalid("tenant", "missing_required_parameter", "Name the tenant: end users of the same name in two tenants are two people.")
	}
	return tenant, user, err
}

// userHash stands in for an end user's name in the log, which must not keep what was erased. Whoever knows the name finds the lines.
func userHash(user string) string {
	sum := sha256.Sum256([]byte(user))
	return hex.EncodeToString(sum[:8])
}

func (a *admin) exportUser(c *gin.Context) {
	tenant, user, err := a.endUser(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.noted(c, "export an end user", tenant, "user_sha256", userHash(user))
	a.Server.exportUser(c, a.cfg.Record, tenant, user)
}

func (a *admin) eraseUser(c *gin.Context) {
	tenant, user, err := a.endUser(c)
	var erased completions.Erasure
	if err == nil {
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(eraseTime)) // as above
		erased, err = a.cfg.Record.EraseUser(c.Request.Context(), tenant, user)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	a.noted(c, "erase an end user", tenant, "user_sha256", userHash(user), "conversations", erased.Conversations, "completions", erased.Completions)
	a.audited(c, audit.Event{Action: "user.erase", Subject: tenant + "/" + userHash(user), After: audit.Describe(erased)})
	c.JSON(http.StatusOK, erasureOf("user", user, erased))
}
