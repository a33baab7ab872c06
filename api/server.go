package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-dev/holdfast/access"
	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/completions/store"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/handover"
	"github.com/holdfast-dev/holdfast/launch"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// Record is what the API keeps and reads of completions. Package completions/store implements it.
type Record interface {
	Accept(ctx context.Context, a completions.Acceptance) (completions.Accepted, error)
	Find(ctx context.Context, tenant, id string) (completions.Completion, []completions.Attempt, error)
	Outcome(ctx context.Context, tenant, id string) (completions.Outcome, error)
	// Plan is who was to be called when a completion was taken up; nil if that is not on record.
	Plan(ctx context.Context, id string) (*failover.Plan, error)
	// Transcript is what a streamed answer has said so far, as far as it is kept; Told, what it has said in all.
	Transcript(ctx context.Context, id string) (*transcript.Log, error)
	Told(ctx context.Context, id string, answer llm.Response) (*transcript.Log, error)
	// Request is what a client sent, and Shown what of it the dialect shows beside that.
	Request(ctx context.Context, id string) (llm.Request, error)
	Shown(ctx context.Context, id string) (json.RawMessage, error)
	ListStored(ctx context.Context, ask store.Stored) ([]completions.Outcome, error)
	SetMetadata(ctx context.Context, tenant, id string, metadata map[string]string) error
	// Erase, EraseConversation and EraseUser take away what was said, and leave the numbers.
	Erase(ctx context.Context, tenant, id string) error
	EraseConversation(ctx context.Context, tenant, id string) (completions.Erasure, error)
	EraseUser(ctx context.Context, tenant, user string) (completions.Erasure, error)
	// ExportConversation and ExportUser read all that is kept, line by line.
	ExportConversation(ctx context.Context, tenant, id string, write func(store.ExportLine) error) error
	ExportUser(ctx context.Context, tenant, user string, write func(store.ExportLine) error) error
	RequestCancel(ctx context.Context, tenant, id string) (completions.Completion, error)
	List(ctx context.Context, tenant string, state completions.State, limit int, before string) ([]completions.Completion, error)
}

// Temporal is what the API needs of a Temporal client.
type Temporal interface {
	launch.Starter
	GetWorkflow(ctx context.Context, workflowID, runID string) client.WorkflowRun
	CancelWorkflow(ctx context.Context, workflowID, runID string) error
}

// Mirror writes what other processes say of a completion into a feed of this one, until it has its outcome. Package relay
// implements it.
type Mirror interface {
	Follow(ctx context.Context, id string, feed *transcript.Feed)
}

// Lease names this process while it is alive. Package worker implements it.
type Lease interface {
	Current() (instanceID string, held context.Context)
}

// Tokens checks API tokens. Package access implements it.
type Tokens interface {
	Verify(ctx context.Context, token string) (access.Principal, error)
}

// Conversations is the store of conversation logs. Package conversations implements it.
type Conversations interface {
	Create(ctx context.Context, tenant string, metadata map[string]string, items []conversations.Item) (conversations.Conversation, error)
	Find(ctx context.Context, tenant, id string) (conversations.Conversation, error)
	List(ctx context.Context, tenant string, limit int, after string) ([]conversations.Conversation, error)
	Items(ctx context.Context, id string, after int64, limit int) ([]conversations.Item, error)
	ItemsBackward(ctx context.Context, id string, before int64, limit int) ([]conversations.Item, error)
	Item(ctx context.Context, id string, seq int64) (conversations.Item, error)
	AnswerPlace(ctx context.Context, id, completionID string) (int64, error)
	SetMetadata(ctx context.Context, tenant, id string, metadata map[string]string) (conversations.Conversation, error)
	Append(ctx context.Context, tenant, id string, items []conversations.Item) ([]conversations.Item, error)
	RemoveItem(ctx context.Context, tenant, id string, seq int64, pick func(llm.Message) []int) error
}

// Config is what the public API needs; every field is required that does not say what its zero value means.
type Config struct {
	Record        Record
	Conversations Conversations
	Temporal      Temporal
	Lease         Lease
	Tokens        Tokens
	Hub           *handover.Hub
	// Routes are the names that clients may ask for, in the order of the configuration.
	Routes []string
	// Hidden are further names that clients may ask for, and are not shown.
	Hidden []string
	// Timeout is a request's absolute deadline, counted from its acceptance.
	Timeout      time.Duration
	MaxBodyBytes int64
	Admission    AdmissionConfig
	// KeepAlive is how often a silent stream sends a comment; 0 is [DefaultKeepAlive].
	KeepAlive time.Duration
	// IdempotencyWindow is how long the content of a completion with an idempotency key is there that is not to be kept, for a
	// client that asks again; 0 is no longer than its deadline.
	IdempotencyWindow time.Duration
	// Count says how many tokens a request has for the first of its targets; nil counts by estimate.
	Count func(ctx context.Context, tenant string, request llm.Request) (int64, error)
	// Recovery is what becomes of a route's streams that break; nil is [failover.RecoveryContinue] for all.
	Recovery func(route string) failover.Recovery
	// Providers are the names that requests may choose providers by; nil lets any name pass.
	Providers []string
	// Parks says whether a route's requests wait for providers to come back, when none can be called; nil is never. Async are
	// those that nobody waits for.
	Parks func(route string, async bool) bool
	// Mirror follows streams that other processes drive; nil if there are none.
	Mirror Mirror
	// CancelCalls ends the calls of a completion in this process at once; nil if none are made here.
	CancelCalls func(id string)
	// WorksElsewhere says that no completion worker runs in this process: outcomes are awaited durably from the start.
	WorksElsewhere bool
	// Ready says whether the parts below can serve; nil means yes.
	Ready  func(context.Context) error
	Logger *slog.Logger
}

// Server is the public API.
type Server struct {
	cfg       Config
	routes    map[string]bool
	started   time.Time
	admission *admission
	draining  atomic.Bool
	// interrupted is closed when streams must end that are still open.
	interrupted chan struct{}
	interrupt   func()
}

// New makes the API.
func New(cfg Config) (*Server, error) {
	if cfg.Record == nil || cfg.Conversations == nil || cfg.Temporal == nil || cfg.Lease == nil || cfg.Tokens == nil || cfg.Hub == nil {
		return nil, errors.New("api: record, conversations, temporal, lease, tokens and hub are required")
	}
	s := &Server{cfg: cfg, routes: map[string]bool{}, started: time.Now(), admission: newAdmission(cfg.Admission), interrupted: make(chan struct{})}
	s.interrupt = sync.OnceFunc(func() { close(s.interrupted) })
	for _, route := range slices.Concat(cfg.Routes, cfg.Hidden) {
		s.routes[route] = true
	}
	return s, nil
}

// Drain makes the API refuse new work and report itself not ready; what is in flight goes on.
func (s *Server) Drain() { s.draining.Store(true) }

// Interrupt ends the streams that are still open, with an error that says how to go on with them elsewhere. Their completions
// go on.
func (s *Server) Interrupt() { s.interrupt() }

// Handler is the public API's router.
func (s *Server) Handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.Use(s.recovered())
	router.NoRoute(func(c *gin.Context) {
		s.fail(c, notFound("No such endpoint: "+c.Request.Method+" "+c.Request.URL.Path))
	})
	router.NoMethod(func(c *gin.Context) {
		s.fail(c, &problem{
			status: http.StatusMethodNotAllowed, kind: "invalid_request_error", code: "method_not_allowed",
			message: c.Request.Method + " is not allowed here.",
		})
	})
	router.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	router.GET("/readyz", s.readyz)

	v1 := router.Group("/v1", s.authenticated())
	v1.GET("/models", s.listModels)
	v1.GET("/models/*id", s.showModel)
	chat, responses, messages := chatForm(), responsesForm(), messagesForm()
	v1.POST("/chat/completions", s.create(chat, decodeChat))
	v1.GET("/chat/completions", s.listStored)
	v1.GET("/chat/completions/:id", s.show(chat))
	v1.POST("/chat/completions/:id", s.updateStored)
	v1.DELETE("/chat/completions/:id", s.erase(chat, "chat.completion.deleted"))
	v1.GET("/chat/completions/:id/messages", s.listStoredMessages)
	v1.POST("/chat/completions/:id/cancel", s.cancelled(chat))
	v1.POST("/responses", s.create(responses, s.decodeResponse))
	v1.POST("/responses/input_tokens", s.countInput)
	v1.GET("/responses/:id", s.show(responses))
	v1.DELETE("/responses/:id", s.erase(responses, "response.deleted"))
	v1.POST("/responses/:id/cancel", s.cancelled(responses))
	v1.GET("/responses/:id/input_items", s.listInputItems)
	v1.POST("/messages", s.create(messages, decodeMessages))
	v1.POST("/messages/count_tokens", s.countMessages)
	v1.GET("/messages/:id", s.show(messages))
	v1.POST("/messages/:id/cancel", s.cancelled(messages))
	v1.POST("/embeddings", s.createEmbeddings)
	v1.GET("/embeddings/:id", s.showEmbeddings)
	v1.POST("/conversations", s.createConversation)
	v1.GET("/conversations", s.listConversations)
	v1.GET("/conversations/:id", s.showConversation)
	v1.POST("/conversations/:id", s.updateConversation)
	v1.DELETE("/conversations/:id", s.deleteConversation)
	v1.GET("/conversations/:id/export", s.exportConversation)
	v1.GET("/conversations/:id/items", s.listConversationItems)
	v1.POST("/conversations/:id/items", s.createConversationItems)
	v1.GET("/conversations/:id/items/:item", s.showConversationItem)
	v1.DELETE("/conversations/:id/items/:item", s.deleteConversationItem)
	v1.GET("/holdfast/completions", s.listRecords)
	v1.GET("/holdfast/completions/:id", s.showRecord)
	v1.GET("/holdfast/users/*user", s.showUser)
	v1.DELETE("/holdfast/users/*user", s.eraseUser)
	return router
}

// recovered turns a panic into a 500 that says nothing, and a log entry that says all.
func (s *Server) recovered() gin.HandlerFunc {
	return gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, cause any) {
		s.cfg.Logger.ErrorContext(c.Request.Context(), "panic", "path", c.FullPath(), "cause", cause)
		s.fail(c, errors.New("panic"))
	})
}

func (s *Server) readyz(c *gin.Context) {
	if s.draining.Load() {
		s.fail(c, unavailable("Draining.", nil))
		return
	}
	if s.cfg.Ready != nil {
		ctx, cancel := context.WithTimeout(c.Request.Context(), 2*time.Second)
		defer cancel()
		if err := s.cfg.Ready(ctx); err != nil {
			s.fail(c, unavailable("Not ready.", err))
			return
		}
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}
