package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// completionRecord is the whole record of a completion, without its contents.
type completionRecord struct {
	Object string `json:"object"`
	completions.Completion
	OverheadMS *int64 `json:"overhead_ms,omitempty"`
	// Plan is who was to be called when the completion was taken up, in order, and who was passed over; nil if that is not on
	// record: an answer that was kept needs none.
	Plan *planRecord `json:"plan,omitempty"`
	// Attempts takes the place of the embedded count.
	Attempts []attemptRecord `json:"attempts"`
}

// attemptRecord is one call to a provider, and what followed from it.
type attemptRecord struct {
	Number        int                      `json:"number"`
	Epoch         int                      `json:"epoch"`
	Instance      string                   `json:"instance"`
	State         completions.AttemptState `json:"state"`
	Deployment    string                   `json:"deployment"`
	Provider      string                   `json:"provider"`
	Model         string                   `json:"model"`
	KeyName       string                   `json:"key_name,omitempty"`
	ChosenBecause string                   `json:"chosen_because"`
	ErrorKind     llm.Kind                 `json:"error_kind,omitempty"`
	HTTPStatus    int                      `json:"http_status,omitempty"`
	ErrorCode     string                   `json:"error_code,omitempty"`
	ErrorDetail   string                   `json:"error_detail,omitempty"`
	RetryAfterMS  int64                    `json:"retry_after_ms,omitempty"`
	RequestID     string                   `json:"provider_request_id,omitempty"`
	LatencyMS     int64                    `json:"latency_ms"`
	Decision      failover.Action          `json:"decision,omitempty"`
	Reason        string                   `json:"reason,omitempty"`
	Usage         *llm.Usage               `json:"usage,omitempty"`
	Shown         failover.Shown           `json:"shown,omitempty"`
	StartedAt     time.Time                `json:"started_at"`
	FinishedAt    *time.Time               `json:"finished_at,omitempty"`
}

func recordOf(c completions.Completion, attempts []completions.Attempt) completionRecord {
	record := completionRecord{Object: "holdfast.completion", Completion: c, Attempts: []attemptRecord{}}
	if c.FinishedAt != nil {
		overhead := max(0, (c.FinishedAt.Sub(c.AcceptedAt) - c.ProviderTime).Milliseconds())
		record.OverheadMS = &overhead
	}
	for _, a := range attempts {
		entry := attemptRecord{
			Number: a.Number, Epoch: a.Epoch, Instance: a.InstanceID, State: a.State, Deployment: a.Deployment,
			Provider: a.Provider, Model: a.Model, KeyName: a.KeyName, ChosenBecause: a.ChosenBecause,
			LatencyMS: a.Latency().Milliseconds(), Decision: a.Decision, Reason: a.Reason, Usage: a.Usage, Shown: a.Shown,
			StartedAt: a.StartedAt, FinishedAt: a.FinishedAt,
		}
		if a.Error != nil {
			entry.ErrorKind, entry.HTTPStatus, entry.ErrorCode = a.Error.Kind, a.Error.Status, a.Error.Code
			entry.ErrorDetail, entry.RetryAfterMS, entry.RequestID = a.Error.Detail, a.Error.RetryAfter.Milliseconds(), a.Error.RequestID
		}
		record.Attempts = append(record.Attempts, entry)
	}
	return record
}

func (s *Server) showRecord(c *gin.Context) {
	record, err := readRecord(c, s.cfg.Record, tenantOf(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, record)
}

func (s *Server) listRecords(c *gin.Context) {
	list, err := listRecords(c, s.cfg.Record, tenantOf(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, list)
}

func readRecord(c *gin.Context, record Record, tenant string) (completionRecord, error) {
	if !completions.ValidID(c.Param("id")) {
		return completionRecord{}, completions.ErrNotFound
	}
	completion, attempts, err := record.Find(c.Request.Context(), tenant, c.Param("id"))
	if err != nil {
		return completionRecord{}, err
	}
	plan, err := record.Plan(c.Request.Context(), completion.ID)
	if err != nil {
		return completionRecord{}, err
	}
	found := recordOf(completion, attempts)
	if plan != nil {
		shown := planOf(*plan)
		found.Plan = &shown
	}
	return found, nil
}

func listRecords(c *gin.Context, record Record, tenant string) (gin.H, error) {
	limit, err := pageLimit(c)
	if err != nil {
		return nil, err
	}
	list, err := record.List(c.Request.Context(), tenant, completions.State(c.Query("state")), limit+1, c.Query("after"))
	if err != nil {
		return nil, err
	}
	return page(list, limit, func(c completions.Completion) string { return c.ID }), nil
}

// pageLimit reads OpenAI's paging parameter: 1 to 100, 20 if left out.
func pageLimit(c *gin.Context) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return 20, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > 100 {
		return 0, invalid("limit", "invalid_value", "limit must be between 1 and 100.")
	}
	return limit, nil
}

// page makes OpenAI's list object of at most limit entries; one more was read to know whether more follow.
func page[T any](list []T, limit int, id func(T) string) gin.H {
	more := len(list) > limit
	if more {
		list = list[:limit]
	}
	object := gin.H{"object": "list", "data": list, "has_more": more, "first_id": nil, "last_id": nil}
	if len(list) > 0 {
		object["first_id"], object["last_id"] = id(list[0]), id(list[len(list)-1])
	} else {
		object["data"] = []T{}
	}
	return object
}
