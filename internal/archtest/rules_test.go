package archtest

// vendorSDKs are the providers' own libraries.
func vendorSDKs() []string {
	return []string{
		"github.com/openai/openai-go/...", "github.com/openai/openai-go/v3/...",
		"github.com/anthropics/anthropic-sdk-go/...",
		"google.golang.org/genai/...",
		"github.com/aws/aws-sdk-go-v2/...",
		"github.com/Azure/azure-sdk-for-go/...",
		"github.com/ollama/ollama/...",
		"github.com/cohere-ai/cohere-go/...",
	}
}

// providerLibraries are what each provider may import beside the canonical model and what providers share.
func providerLibraries() map[string][]string {
	return map[string][]string{
		"./providers/openai":           {"github.com/openai/openai-go/v3/...", "./providers/openai/responses"},
		"./providers/openai/responses": {"github.com/openai/openai-go/v3/..."},
		"./providers/anthropic":        {"github.com/anthropics/anthropic-sdk-go/..."},
		"./providers/gemini":           {"google.golang.org/genai/..."},
		"./providers/bedrock":          {"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/..."},
		"./providers/ollama":           {"github.com/ollama/ollama/api"},
		"./providers/mistral":          {},
		"./providers/cohere":           {"github.com/cohere-ai/cohere-go/v2/..."},
		// What speaks a vendor's wire at another address.
		"./providers/azure":  {"golang.org/x/oauth2/...", "./providers/openai/..."},
		"./providers/compat": {"./providers/openai/..."},
		"./providers/vertex": {"golang.org/x/oauth2/...", "./providers/gemini", "./providers/anthropic"},
	}
}

// rules are the import rules of this module, all but those of single providers.
func rules() []rule {
	return []rule{
		{
			in: []string{"./llm"}, only: []string{"std"}, neverDirectly: []string{"net/...", "os/...", "log/...", "database/..."},
			why: "the canonical model knows no vendor, no wire and no storage",
		},
		{
			in: []string{"./failover"}, only: []string{"std", "./llm"},
			neverDirectly: []string{"net/...", "os/...", "log/...", "database/...", "context"},
			why:           "decisions are pure: no I/O, no clock, no logger",
		},
		{
			in: []string{"./catalog"}, only: []string{"std"}, neverDirectly: []string{"net/...", "os/...", "log/...", "database/..."},
			why: "what is known of models is data",
		},
		{
			in: []string{"./health"}, except: []string{"test packages"},
			never:         append(vendorSDKs(), "./providers/...", "./api/...", "./worker/...", "./workflows/...", "./standalone/...", "go.temporal.io/sdk/client"),
			neverDirectly: []string{"github.com/jackc/pgx/...", "./internal/postgres", "net/...", "database/..."},
			why:           "what is known of providers goes on without a database and without Temporal",
		},
		{
			in: []string{"./rotation"}, only: []string{"std", "./llm", "github.com/robfig/cron/v3"},
			neverDirectly: []string{"net/...", "os/...", "log/...", "database/..."},
			why:           "when a key is replaced is decided by rules: no I/O, no clock, no logger",
		},
		{
			in: []string{"./transcript"}, only: []string{"std", "./llm"},
			neverDirectly: []string{"net/...", "os/...", "log/...", "database/...", "context", "time"},
			why:           "what is said is put together by rules: no I/O, no clock, no logger",
		},
		{
			in: []string{"./replay"}, only: []string{"std", "./llm"},
			neverDirectly: []string{"net/...", "os/...", "log/...", "database/...", "context"},
			why:           "what is said again is decided by rules: no I/O, no clock, no logger",
		},
		{
			in: []string{"./completions"}, only: []string{"std", "./llm", "./failover", "./replay", "./transcript"},
			neverDirectly: []string{"net/...", "os/...", "database/..."},
			why:           "the words of the domain are types that everybody may share",
		},
		{
			in: []string{"./workflows/..."}, except: []string{"test packages"},
			never: append(vendorSDKs(), "./providers/...", "./api/...", "./worker/...", "./launch/...", "./standalone/...",
				"./completions/store", "./internal/postgres", "github.com/jackc/pgx/...", "github.com/gin-gonic/...",
				"go.temporal.io/sdk/client"),
			why: "workflows are deterministic and small: what touches the world is an activity",
		},
		{
			in: []string{"./workflows/..."}, except: []string{"test packages"},
			neverDirectly: []string{
				"net/...", "os/...", "sync/...", "math/rand/...", "crypto/rand", "database/...", "github.com/google/uuid",
			},
			why: "a replay must take the same way: no I/O, no threads, no chance but the workflow's own",
		},
		{
			in: []string{"./activities/..."}, except: []string{"test packages"},
			never: append(vendorSDKs(), "./providers/...", "./api/...", "./workflows/...", "./worker/...", "./standalone/...",
				"github.com/gin-gonic/...", "go.temporal.io/sdk/client"),
			neverDirectly: []string{"github.com/jackc/pgx/...", "./internal/postgres", "database/..."},
			why:           "activities reach stores and providers through interfaces of their own",
		},
		{
			in: []string{"./api/..."}, except: []string{"test packages"},
			never:         append(vendorSDKs(), "./providers/...", "./worker/...", "./standalone/..."),
			neverDirectly: []string{"./activities/..."},
			why:           "the API speaks dialects and starts workflows; providers stay on the worker's side",
		},
		{
			in: []string{"./worker/..."}, except: []string{"test packages"},
			never: append(vendorSDKs(), "./providers/...", "./api/...", "./standalone/...", "github.com/gin-gonic/..."),
			why:   "the worker registers and runs; what it needs is handed to it",
		},
		{
			in: []string{"./..."}, except: []string{"./providers/...", "./cmd/...", "./routing/...", "./examples/...", "./simulator", "./keys/mint"},
			neverDirectly: append(vendorSDKs(), "./providers/..."),
			why:           "vendors' libraries stay inside their provider; only the composition picks providers",
		},
		{
			in: []string{"./keys/mint"},
			only: []string{
				"std", "./llm", "./rotation", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/credentials",
				"github.com/aws/aws-sdk-go-v2/service/iam/...", "github.com/aws/smithy-go/...", "golang.org/x/oauth2/...",
				"github.com/standard-webhooks/standard-webhooks/libraries/go",
			},
			why: "who makes keys speaks to vendors' administrations, which are no providers, and knows of this module the words of rotation only",
		},
		{
			in: []string{"./chat"}, only: []string{"std", "github.com/failsafe-go/failsafe-go/...", "github.com/tmaxmax/go-sse", "golang.org/x/term"},
			why: "the terminal is a client like any other: what it can do, an application can",
		},
		{
			in: []string{"./simulator"}, except: []string{"test packages"},
			never: []string{"./llm", "./providers/...", "./keys/...", "github.com/openai/...", "github.com/anthropics/...", "google.golang.org/genai/..."},
			why:   "what checks the adapters shares no code with them; of the vendors' libraries it has AWS's framing of events",
		},
		{
			in: []string{"./..."}, except: []string{"./standalone/temporalserver"}, tests: true,
			neverDirectly: []string{"go.temporal.io/server/...", "github.com/temporalio/ui-server/..."},
			why:           "one package links the Temporal server, so that slim builds and test builds do without",
		},
		{
			in: []string{"./..."}, except: []string{"./cmd/..."}, tests: true,
			neverDirectly: []string{"./standalone/temporalserver"},
			why:           "tests run the Temporal server as a process: internal/temporaltest",
		},
		{
			in: []string{"./..."}, tests: true, neverDirectly: []string{"./cmd/..."},
			why: "the composition root is the top",
		},
		{
			in: []string{"./..."}, except: []string{"test packages"},
			neverDirectly: []string{"test packages", "testing/...", "github.com/stretchr/testify/...", "go.uber.org/goleak/..."},
			why:           "what exists for tests is imported by tests only",
		},
	}
}
