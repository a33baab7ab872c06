package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-dev/holdfast/api/openai"
	"github.com/holdfast-dev/holdfast/failover"
	"github.com/holdfast-dev/holdfast/llm"
)

// Explainer says who would serve a route and why, without calling anybody. Package routing implements it.
type Explainer interface {
	Explain(route string, ask failover.Ask, now time.Time) (explained failover.Explained, known bool)
}

// explained is who would serve a request now, and what would be done first.
type explained struct {
	Object string `json:"object"`
	Model  string `json:"model"`
	planRecord
	// Resting are the candidates that would not be called now.
	Resting []failover.Rest `json:"resting"`
	First   firstStep       `json:"first"`
}

// firstStep is what would be done first. Deployment is who would be called, if anybody.
type firstStep struct {
	Action       failover.Action `json:"action"`
	Deployment   string          `json:"deployment,omitempty"`
	DelayMS      int64           `json:"delay_ms,omitempty"`
	RetryAfterMS int64           `json:"retry_after_ms,omitempty"`
	Reason       string          `json:"reason"`
}

// explainRoute lists a route's deployments in the order in which they would be called now, and those passed over.
func (a *admin) explainRoute(c *gin.Context) {
	ask, err := asked(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	found, known := a.cfg.Routes.Explain(c.Query("model"), ask, time.Now())
	if !known {
		a.fail(c, notFound("No such route."))
		return
	}
	answer := explained{
		Object: "holdfast.route", Model: c.Query("model"), planRecord: planOf(found.Plan), Resting: append([]failover.Rest{}, found.Resting...),
		First: firstStep{
			Action: found.First.Action, DelayMS: found.First.Delay.Milliseconds(), RetryAfterMS: found.First.RetryAfter.Milliseconds(),
			Reason: found.First.Reason,
		},
	}
	if found.First.Calls() {
		answer.First.Deployment = found.Candidates[found.First.Candidate].Deployment
	}
	c.JSON(http.StatusOK, answer)
}

// asked is the request that the query describes.
func asked(c *gin.Context) (failover.Ask, error) {
	ask := failover.Ask{Tenant: c.Query("tenant"), Embeddings: c.Query("embeddings") == "true", Routing: llm.Routing{
		Token: c.Query("token"), Tags: words(c, "tags"), Order: providers(c, "order"), Only: providers(c, "only"), Ignore: providers(c, "ignore"),
		Sort: llm.Sort(c.Query("sort")),
	}}
	if ask.Routing.Sort != "" && failover.SortBy(ask.Routing.Sort) == "" {
		return ask, invalid("sort", "invalid_value", "sort must be price, throughput or latency.")
	}
	for _, ability := range []struct{ query, name string }{
		{"tools", "function_calling"}, {"json_schema", "response_schema"}, {"vision", "vision"},
	} {
		if c.Query(ability.query) == "true" {
			ask.Abilities = append(ask.Abilities, ability.name)
		}
	}
	if text := c.Query("tokens"); text != "" {
		tokens, err := strconv.ParseInt(text, 10, 64)
		if err != nil || tokens < 0 {
			return ask, invalid("tokens", "invalid_value", "tokens must be a number of tokens.")
		}
		ask.InputTokens, ask.Bound = tokens, tokens
	}
	return ask, nil
}

// words are those of a query's member, with commas between them.
func words(c *gin.Context, name string) []string {
	return slices.DeleteFunc(strings.Split(c.Query(name), ","), func(word string) bool { return word == "" })
}

func providers(c *gin.Context, name string) []string {
	list := words(c, name)
	for i := range list {
		list[i] = openai.Provider(list[i])
	}
	return list
}
