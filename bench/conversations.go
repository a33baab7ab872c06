package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/llm"
)

const (
	// conversationRoute leads to a model that can hold conversationWindow tokens; what is longer loses its oldest exchanges.
	conversationRoute  = "bench-conversation"
	conversationWindow = 16_000
	// conversationTurns are measured for each length, of which each has some hundred tokens.
	conversationTurns = 60
	conversationPage  = 50
)

// conversationLengths are how many turns a conversation has had before those that are measured.
func conversationLengths() []int { return []int{10, 100, 1_000, 10_000} }

// ConversationCell is what a turn costs in a conversation of a length.
type ConversationCell struct {
	// Turns is how many it had before.
	Turns int `json:"turns"`
	// P50 and P95 are the time of a turn, of a request to its answer.
	P50 time.Duration `json:"p50"`
	P95 time.Duration `json:"p95"`
	// Rows is how many of the log's rows PostgreSQL read for a turn.
	Rows float64 `json:"rows"`
	// PageP50 is the time to list the latest items, PageRows how many rows were read for it.
	PageP50  time.Duration `json:"page_p50"`
	PageRows float64       `json:"page_rows"`
	Failed   int           `json:"failed"`
}

// conversationRoutes are the configuration's, to be put behind others; empty without the section.
func conversationRoutes(opts Options, providerURL string) string {
	if !slices.Contains(opts.Sections, SectionConversations) {
		return ""
	}
	return fmt.Sprintf("  - model_name: %s\n    litellm_params: {model: openai/gpt-4.1, api_base: %q}\n    model_info: {max_input_tokens: %d}\n"+
		"holdfast: {routes: {%s: {overflow: drop_oldest}}}\n", conversationRoute, providerURL, conversationWindow, conversationRoute)
}

// conversations measures what a turn costs as its conversation grows.
func (b *benchmark) conversations(ctx context.Context) error {
	pool, err := pgxpool.New(ctx, strings.Replace(b.at.database.url, "/"+benchDatabase, "/holdfast", 1))
	if err != nil {
		return err
	}
	defer pool.Close()
	client := httpClient(1)
	defer client.CloseIdleConnections()
	for _, turns := range conversationLengths() {
		log, err := conversations.NewStore(pool).Create(ctx, "default", nil, saidBefore(turns))
		if err != nil {
			return err
		}
		if _, err := pool.Exec(ctx, `ANALYZE conversation_items`); err != nil { // as happens by itself a minute later
			return err
		}
		pause(ctx, statisticsTime) // what was read to make it is not to be counted
		cell := ConversationCell{Turns: turns}
		post := conversationTurn(client, b.at.apiURL, b.at.token, log.ID)
		list := conversationList(client, b.at.apiURL, b.at.token, log.ID)
		var took, paged []time.Duration
		if took, cell.Rows, err = b.timed(ctx, pool, &cell, post); err != nil {
			return err
		}
		if paged, cell.PageRows, err = b.timed(ctx, pool, &cell, list); err != nil {
			return err
		}
		cell.P50, cell.P95, cell.PageP50 = quantile(took, 0.5), quantile(took, 0.95), quantile(paged, 0.5)
		b.result.Conversations = append(b.result.Conversations, cell)
		b.tell("  a turn after %6d turns:  p50 %6.1f ms  %6.1f rows read;  a page: p50 %5.1f ms  %5.1f rows", turns,
			milliseconds(cell.P50), cell.Rows, milliseconds(cell.PageP50), cell.PageRows)
	}
	return nil
}

// timed makes the same call many times over, and counts the rows of logs that PostgreSQL read for one.
func (b *benchmark) timed(ctx context.Context, pool *pgxpool.Pool, cell *ConversationCell, call func(context.Context) error) (took []time.Duration, rows float64, err error) {
	before, err := rowsRead(ctx, pool)
	if err != nil {
		return nil, 0, err
	}
	const first = 5 // in which is loaded what is loaded at first use
	for i := range first + conversationTurns {
		start := time.Now()
		switch err := call(ctx); {
		case err != nil:
			cell.Failed++
		case i >= first:
			took = append(took, time.Since(start))
		}
	}
	pause(ctx, statisticsTime)
	after, err := rowsRead(ctx, pool)
	slices.Sort(took)
	return took, float64(after-before) / (first + conversationTurns), err
}

// statisticsTime is how late PostgreSQL's idle processes tell what they read.
const statisticsTime = 11 * time.Second

func rowsRead(ctx context.Context, pool *pgxpool.Pool) (rows int64, err error) {
	const query = `SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'conversation_items'`
	return rows, pool.QueryRow(ctx, query).Scan(&rows)
}

// saidBefore are turns of some hundred tokens.
func saidBefore(turns int) []conversations.Item {
	items := make([]conversations.Item, 0, 2*turns)
	for n := range turns {
		for _, role := range []llm.Role{llm.RoleUser, llm.RoleAssistant} {
			item := conversations.Item{Message: llm.Message{Role: role, Parts: []llm.Part{
				llm.Text(fmt.Sprintf("%s, turn %d: %s", role, n, strings.Repeat("a sentence of a few plain words. ", 16))),
			}}}
			if role == llm.RoleAssistant {
				item.Provider, item.Model = "openai", "gpt-4.1"
			}
			items = append(items, item)
		}
	}
	return items
}

func conversationTurn(client *http.Client, api, token, id string) func(context.Context) error {
	body, err := json.Marshal(map[string]any{
		"model": conversationRoute, "conversation": id, "messages": []map[string]string{{"role": "user", "content": "And what now?"}},
	})
	return func(ctx context.Context) error {
		if err != nil {
			return err
		}
		response, err := call(ctx, client, api+"/v1/chat/completions", token, strings.NewReader(string(body)), int64(len(body)))
		if err != nil {
			return err
		}
		defer response.Body.Close() //nolint:errcheck // the answer has been read
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
}

func conversationList(client *http.Client, api, token, id string) func(context.Context) error {
	return func(ctx context.Context) error {
		address := fmt.Sprintf("%s/v1/conversations/%s/items?limit=%d", api, id, conversationPage)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close() //nolint:errcheck // the answer has been read
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("listing items: %s", response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
}

const conversationNotes = `
Conversations: one client, one turn after the other, in a conversation that has had so many turns before, on a model that can hold
16,000 tokens: what is longer loses its oldest exchanges. A page is the latest 50 items.
  rows       how many rows of the log PostgreSQL read for one turn, or one page`

func (r *Result) printConversations(w io.Writer) {
	if len(r.Conversations) == 0 {
		return
	}
	fmt.Fprintf(w, "%s\n\n", conversationNotes)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	const columns = "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n"
	fmt.Fprintf(t, columns, "turns before", "p50", "p95 ms", "rows", "page p50 ms", "rows", "failed")
	for _, c := range r.Conversations {
		fmt.Fprintf(t, columns, fmt.Sprint(c.Turns), number(milliseconds(c.P50)), number(milliseconds(c.P95)), number(c.Rows), number(milliseconds(c.PageP50)),
			number(c.PageRows), fmt.Sprint(c.Failed))
	}
	_ = t.Flush()
}

// conversationTargets hold a long conversation to what one costs that fills the window just so.
func (r *Result) conversationTargets() []Target {
	at := func(turns int) []ConversationCell {
		return slices.DeleteFunc(slices.Clone(r.Conversations), func(c ConversationCell) bool { return c.Turns != turns })
	}
	waited := func(c ConversationCell) float64 { return milliseconds(c.P50) }
	time := ratio("p50 of a turn: 10,000 turns before / 1,000", at(10_000), at(1_000), waited)
	rows := ratio("rows read for a turn: 10,000 turns before / 1,000", at(10_000), at(1_000), func(c ConversationCell) float64 { return c.Rows })
	page := ratio("rows read for a page: 10,000 turns before / 1,000", at(10_000), at(1_000), func(c ConversationCell) float64 { return c.PageRows })
	time.Limit, rows.Limit, page.Limit = 1.3, 1.2, 1.2
	return []Target{time, rows, page}
}

func (c ConversationCell) succeeded() bool { return c.Failed == 0 && c.P50 > 0 }
