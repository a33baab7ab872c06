package api

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/replay"
)

// The response headers of a completion.
const (
	headerID        = "X-Holdfast-Completion-Id"
	headerProvider  = "X-Holdfast-Provider"
	headerModel     = "X-Holdfast-Model"
	headerAttempts  = "X-Holdfast-Attempts"
	headerFailovers = "X-Holdfast-Failovers"
	// headerOverhead is the time from acceptance to outcome that was not spent in provider calls, in milliseconds.
	headerOverhead = "X-Holdfast-Overhead-Ms"
	// headerCache says that the answer was kept from the same request before, and how good it is: hit or stale. headerDegraded
	// says that it is from a target that is called for want of anything better.
	headerCache    = "X-Holdfast-Cache"
	headerDegraded = "X-Holdfast-Degraded"
	// headerReplay begins the headers that say what of its conversation a completion was given, and at what price.
	headerReplay = "X-Holdfast-Replay-"
)

func setHeaders(c *gin.Context, completion completions.Completion) {
	c.Header(headerID, completion.ID)
	c.Header(headerAttempts, strconv.Itoa(completion.Attempts))
	c.Header(headerFailovers, strconv.Itoa(completion.Failovers))
	if completion.Provider != "" {
		c.Header(headerProvider, completion.Provider)
		c.Header(headerModel, completion.Model)
	}
	switch completion.ServedFrom {
	case completions.ServedCache, completions.ServedStale:
		c.Header(headerCache, string(completion.ServedFrom))
	case completions.ServedDegraded:
		c.Header(headerDegraded, "true")
	}
	if completion.Replayed != nil {
		setReplayHeaders(c, *completion.Replayed)
	}
	if completion.FinishedAt != nil {
		overhead := completion.FinishedAt.Sub(completion.AcceptedAt) - completion.ProviderTime
		c.Header(headerOverhead, strconv.FormatInt(max(0, overhead.Milliseconds()), 10))
	}
}

func setReplayHeaders(c *gin.Context, record replay.Record) {
	number := func(name string, n int64) { c.Header(headerReplay+name, strconv.FormatInt(n, 10)) }
	number("Items", record.Items)
	number("Tokens", record.Tokens)
	if left := record.LeftOut; left != nil {
		number("Left-Out-Tokens", left.Tokens)
		if left.Summary != "" {
			c.Header(headerReplay+"Summary", left.Summary)
		}
	}
	change := record.Switch
	if change == nil {
		return
	}
	c.Header(headerReplay+"Switch-From", change.FromProvider+"/"+change.FromModel)
	number("Switch-Tokens", change.Tokens)
	if change.CostMicros != nil {
		number("Cost-Microusd", *change.CostMicros)
	}
	if change.LostMicros != nil {
		number("Cache-Loss-Microusd", *change.LostMicros)
	}
	dropped := make([]string, 0, len(change.Dropped))
	for _, kind := range change.Dropped {
		dropped = append(dropped, kind.What+"="+strconv.Itoa(kind.Count))
	}
	if len(dropped) > 0 {
		c.Header(headerReplay+"Dropped", strings.Join(dropped, ", "))
	}
}

// readBody reads the request body within the size limit.
func (s *Server) readBody(c *gin.Context) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, s.cfg.MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &problem{
			status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", code: "request_too_large",
			message: "The request body is larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes.",
		}
	case err != nil:
		return nil, invalid("", "unreadable_body", "The request body could not be read.")
	}
	return body, nil
}

// preferences are the preferences of the Prefer header (RFC 7240).
func preferences(c *gin.Context) []string {
	var list []string
	for _, line := range c.Request.Header.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			preference, _, _ := strings.Cut(part, ";")
			list = append(list, strings.TrimSpace(preference))
		}
	}
	return list
}

func preferredWait(c *gin.Context) time.Duration {
	for _, preference := range preferences(c) {
		name, value, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(name, "wait") {
			continue
		}
		if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
			return time.Duration(min(seconds, 300)) * time.Second
		}
	}
	return 0
}
