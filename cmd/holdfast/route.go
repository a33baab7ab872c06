package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newRouteCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "route", Short: "Explain who would serve a route"}
	cmd.AddCommand(newRouteExplainCommand())
	return cmd
}

// routeAsk is a request as the flags describe it.
type routeAsk struct {
	model, tenant, token, tags, order, only, ignore, sort string
	tools, vision, jsonSchema, embeddings                 bool
	tokens                                                int64
}

func newRouteExplainCommand() *cobra.Command {
	var ask routeAsk
	var asJSON bool
	explain := &cobra.Command{
		Use: "explain --model ROUTE", Short: "List who would be called for a request now, in which order, and why", Args: cobra.NoArgs,
		Long: `List the deployments that would be called for a request now, in order, each with the reason for its place; which of them rest, until
when and why; those that are passed over, each with the reason for that; and what would be done first. Nobody is called. Where
weights decide, the order shown is one of those that are drawn. Without flags it is a request that asks for nothing in particular.`,
		Example: `  holdfast route explain --model demo
  holdfast route explain --model demo --vision --tokens 150000
  holdfast route explain --model demo --tenant search --tags paid --only anthropic,gemini --sort price`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var raw json.RawMessage
			if err := callAdmin(cmd, http.MethodGet, "/admin/route?"+ask.query().Encode(), nil, &raw); err != nil {
				return err
			}
			if asJSON {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), string(raw))
				return err
			}
			return printRoute(cmd, raw)
		},
	}
	f := explain.Flags()
	f.StringVar(&ask.model, "model", "", "the route: what clients name as the model (required)")
	f.StringVar(&ask.tenant, "tenant", "", "whose request it is")
	f.StringVar(&ask.token, "token", "", "the id of the API token that it comes with")
	f.StringVar(&ask.tags, "tags", "", "its tags, with commas between them")
	f.BoolVar(&ask.tools, "tools", false, "it has tools")
	f.BoolVar(&ask.vision, "vision", false, "it has pictures")
	f.BoolVar(&ask.jsonSchema, "json-schema", false, "it asks for JSON by a schema")
	f.BoolVar(&ask.embeddings, "embeddings", false, "it asks for vectors")
	f.Int64Var(&ask.tokens, "tokens", 0, "how many tokens its prompt has")
	f.StringVar(&ask.order, "order", "", "providers that come first, in this order")
	f.StringVar(&ask.only, "only", "", "the only providers that may be called")
	f.StringVar(&ask.ignore, "ignore", "", "providers that may not be called")
	f.StringVar(&ask.sort, "sort", "", "price, throughput or latency")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	_ = explain.MarkFlagRequired("model")
	return explain
}

func (a routeAsk) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"model": a.model, "tenant": a.tenant, "token": a.token, "tags": a.tags, "order": a.order, "only": a.only, "ignore": a.ignore, "sort": a.sort,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, asked := range map[string]bool{"tools": a.tools, "vision": a.vision, "json_schema": a.jsonSchema, "embeddings": a.embeddings} {
		if asked {
			query.Set(name, "true")
		}
	}
	if a.tokens > 0 {
		query.Set("tokens", strconv.FormatInt(a.tokens, 10))
	}
	return query
}

// planRecord is who is called for a request, and who is passed over, as the admin API tells it.
type planRecord struct {
	Candidates []struct {
		Deployment string `json:"deployment"`
		Provider   string `json:"provider"`
		Model      string `json:"model"`
		For        string `json:"for"`
		Reason     string `json:"reason"`
	} `json:"candidates"`
	Excluded []struct {
		Provider string `json:"provider"`
		Model    string `json:"model"`
		Reason   string `json:"reason"`
	} `json:"excluded"`
}

// restRecord is a candidate that is not called now.
type restRecord struct {
	Deployment string    `json:"deployment"`
	Until      time.Time `json:"until"`
	Reason     string    `json:"reason"`
}

func printRoute(cmd *cobra.Command, raw json.RawMessage) error {
	var found struct {
		planRecord
		Resting []restRecord `json:"resting"`
		First   struct {
			Action  string `json:"action"`
			DelayMS int64  `json:"delay_ms"`
			Reason  string `json:"reason"`
		} `json:"first"`
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if err := printPlan(tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), "", found.planRecord, found.Resting); err != nil {
		return err
	}
	after := ""
	if found.First.DelayMS > 0 {
		after = " in " + (time.Duration(found.First.DelayMS) * time.Millisecond).String()
	}
	_, err := fmt.Fprintf(out, "\nfirst %s%s: %s\n", found.First.Action, after, found.First.Reason)
	return err
}

// printPlan lists the candidates in order, each with what it rests for, and those that are passed over.
func printPlan(out *tabwriter.Writer, indent string, plan planRecord, resting []restRecord) error {
	for i, c := range plan.Candidates {
		more := ""
		if c.For != "" {
			more = ", after " + c.For + " only"
		}
		for _, rest := range resting {
			if rest.Deployment == c.Deployment {
				more += "; rests until " + momentOr(rest.Until, "nobody knows when") + ": " + rest.Reason
			}
		}
		fmt.Fprintf(out, "%s%d\t%s/%s\t%s%s\n", indent, i+1, c.Provider, c.Model, c.Reason, more)
	}
	for _, e := range plan.Excluded {
		fmt.Fprintf(out, "%s-\t%s/%s\tpassed over: %s\n", indent, e.Provider, e.Model, e.Reason)
	}
	return out.Flush()
}
