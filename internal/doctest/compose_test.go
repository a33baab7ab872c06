package doctest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// composition is docker-compose.yml, as far as it is used. A key that is not here is an error: add it with its check.
type composition struct {
	Name        string              `yaml:"name"`
	Holdfast    yaml.Node           `yaml:"x-holdfast"`
	Environment yaml.Node           `yaml:"x-environment"`
	Services    map[string]*service `yaml:"services"`
	Secrets     map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
	Volumes map[string]any `yaml:"volumes"`
}

type service struct {
	Image string `yaml:"image"`
	Build *struct {
		Context string            `yaml:"context"`
		Args    map[string]string `yaml:"args"`
	} `yaml:"build"`
	User        string            `yaml:"user"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	Restart     string            `yaml:"restart"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Secrets     []string          `yaml:"secrets"`
	Volumes     []string          `yaml:"volumes"`
	Tmpfs       []string          `yaml:"tmpfs"`
	Ports       []string          `yaml:"ports"`
	ShmSize     string            `yaml:"shm_size"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck *struct {
		Test        []string `yaml:"test"`
		Interval    string   `yaml:"interval"`
		Timeout     string   `yaml:"timeout"`
		Retries     int      `yaml:"retries"`
		StartPeriod string   `yaml:"start_period"`
	} `yaml:"healthcheck"`
	StopGracePeriod string `yaml:"stop_grace_period"`
	Logging         struct {
		Driver  string            `yaml:"driver"`
		Options map[string]string `yaml:"options"`
	} `yaml:"logging"`
	Deploy struct {
		Resources struct {
			Limits struct {
				CPUs   string `yaml:"cpus"`
				Memory string `yaml:"memory"`
			} `yaml:"limits"`
		} `yaml:"resources"`
	} `yaml:"deploy"`
}

// onceOnly says whether the service runs to its end.
func (s *service) onceOnly() bool { return strings.HasPrefix(s.Restart, "on-failure") }

func compose(t testing.TB) composition {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "docker-compose.yml")))
	decoder.KnownFields(true)
	var c composition
	require.NoError(t, decoder.Decode(&c))
	require.NotEmpty(t, c.Services)
	return c
}

var (
	pinned      = regexp.MustCompile(`^[a-z0-9./-]+:[0-9]+(\.[0-9]+)+(-[a-z0-9.]+)?$`)
	inURL       = regexp.MustCompile(`://[^/@\s]*:[^/@\s]+@`)
	secretNamed = regexp.MustCompile(`(?i)(password|passwd|pwd|secret|token|key|database_url)$`)
)

func TestComposeServicesAreSound(t *testing.T) {
	t.Parallel()
	for name, s := range compose(t).Services {
		if s.Build == nil {
			require.Regexp(t, pinned, s.Image, "%s: pin the image", name)
		} else {
			require.FileExists(t, filepath.Join(root, s.Build.Context, "Dockerfile"))
			require.Equal(t, []string{"ALL"}, s.CapDrop, name)
			require.True(t, s.ReadOnly, name)
			require.NotEmpty(t, s.User, name)
		}
		require.NotEmpty(t, s.Deploy.Resources.Limits.CPUs, "%s: no limit", name)
		require.NotEmpty(t, s.Deploy.Resources.Limits.Memory, "%s: no limit", name)
		require.NotEmpty(t, s.Logging.Options["max-size"], "%s: its log grows without a bound", name)
		require.Contains(t, []string{"unless-stopped", "on-failure:5"}, s.Restart, name)
		require.Equal(t, s.onceOnly(), s.Healthcheck == nil, "%s: what stays has a health check, what ends has none", name)
		for _, port := range s.Ports {
			require.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s: port %s is open to all", name, port)
		}
	}
}

func TestComposeDependenciesCanBeMet(t *testing.T) {
	t.Parallel()
	c := compose(t)
	for name, s := range c.Services {
		for on, dependency := range s.DependsOn {
			require.Contains(t, c.Services, on, name)
			switch dependency.Condition {
			case "service_healthy":
				require.NotNil(t, c.Services[on].Healthcheck, "%s waits for the health of %s, which has no check", name, on)
			case "service_completed_successfully":
				require.True(t, c.Services[on].onceOnly(), "%s waits for the end of %s, which has none", name, on)
			default:
				t.Errorf("%s: unknown condition %q", name, dependency.Condition)
			}
		}
	}
	// The order that the file promises in its first lines.
	before := func(first, then string) {
		require.True(t, c.waitsFor(then, first), "%s does not wait for %s", then, first)
	}
	before("postgres", "temporal-schema")
	before("temporal-schema", "temporal")
	before("temporal", "temporal-ui")
	before("temporal", "migrate")
	before("migrate", "api")
	before("migrate", "worker")
}

func (c composition) waitsFor(name, first string) bool {
	for on := range c.Services[name].DependsOn {
		if on == first || c.waitsFor(on, first) {
			return true
		}
	}
	return false
}

func TestComposeHoldsNoSecret(t *testing.T) {
	t.Parallel()
	c := compose(t)
	require.NotRegexp(t, inURL, read(t, "docker-compose.yml"))
	made := read(t, ".ci/secrets")
	ignored := strings.Split(read(t, ".gitignore"), "\n")
	require.Contains(t, ignored, "/secrets/")
	for name, secret := range c.Secrets {
		require.Equal(t, "./secrets/"+name, secret.File)
		require.Contains(t, made, "write "+name+" ", "make secrets does not make %s", name)
	}
	for name, s := range c.Services {
		for _, secret := range s.Secrets {
			require.Contains(t, c.Secrets, secret, name)
		}
		for variable := range s.Environment {
			if secretNamed.MatchString(variable) {
				t.Errorf("%s: %s would hold a secret: name a file", name, variable)
			}
		}
		all := append(slices.Clone(s.Command), s.Entrypoint...)
		for _, value := range s.Environment {
			all = append(all, value)
		}
		for _, text := range all {
			_, secret, names := strings.Cut(text, "/run/secrets/")
			if names {
				require.Contains(t, s.Secrets, secret, "%s uses %s without mounting it", name, secret)
			}
		}
	}
	for _, file := range []string{"temporal.yaml", "temporal-schema.sh", "temporal-namespace.sh", "holdfast.yaml"} {
		require.NotRegexp(t, inURL, read(t, "deploy/compose/"+file))
	}
}

func TestComposeMountsWhatExists(t *testing.T) {
	t.Parallel()
	c := compose(t)
	for name, s := range c.Services {
		mounted := map[string]bool{}
		for _, volume := range s.Volumes {
			source, target, ok := strings.Cut(volume, ":")
			require.True(t, ok, "%s: %s", name, volume)
			if !strings.HasPrefix(source, "./") {
				require.Contains(t, c.Volumes, source, name)
				continue
			}
			require.FileExists(t, filepath.Join(root, source), name)
			require.True(t, strings.HasSuffix(target, ":ro"), "%s: %s", name, volume)
			mounted[strings.TrimSuffix(target, ":ro")] = true
		}
		for _, argument := range append(slices.Clone(s.Command), s.Entrypoint...) {
			if at := strings.Index(argument, "/deploy/"); at >= 0 {
				require.True(t, mounted[argument[at:]], "%s uses %s without mounting it", name, argument)
			}
		}
	}
	var temporal struct {
		Persistence struct {
			Datastores map[string]struct {
				SQL map[string]any `yaml:"sql"`
			} `yaml:"datastores"`
		} `yaml:"persistence"`
		Dynamic struct {
			Filepath string `yaml:"filepath"`
		} `yaml:"dynamicConfigClient"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/compose/temporal.yaml")), &temporal))
	require.Len(t, temporal.Persistence.Datastores, 2)
	for name, store := range temporal.Persistence.Datastores {
		require.NotContains(t, store.SQL, "password", name)
		require.Equal(t, "/run/secrets/postgres-password", fmt.Sprint(store.SQL["passwordCommand"].(map[string]any)["args"].([]any)[0]))
	}
	require.Contains(t, strings.Join(c.Services["temporal"].Volumes, " "), ":"+temporal.Dynamic.Filepath+":")
}

// The commands of Holdfast's own containers are commands of Holdfast, flags included.
func TestComposeCommandsExist(t *testing.T) {
	t.Parallel()
	holdfast := commands(t)
	for name, s := range compose(t).Services {
		if s.Build == nil {
			continue
		}
		require.NoError(t, holdfast.check(append([]string{"holdfast"}, s.Command...)), name)
		if s.Healthcheck != nil {
			require.Equal(t, []string{"CMD", "/holdfast"}, s.Healthcheck.Test[:2], "%s: the image has no shell", name)
			require.NoError(t, holdfast.check(s.Healthcheck.Test[1:]), name)
		}
	}
}

func TestDockerfileIsSound(t *testing.T) {
	t.Parallel()
	var stages [][]string
	text := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
			continue
		case words[0] == "FROM":
			stages = append(stages, nil)
		}
		require.NotEmpty(t, stages, "before FROM: %s", line)
		stages[len(stages)-1] = append(stages[len(stages)-1], strings.Join(words, " "))
	}
	require.Len(t, stages, 2)
	build, final := strings.Join(stages[0], "\n"), strings.Join(stages[1], "\n")

	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	require.Contains(t, build, "FROM golang:"+version[1]+"-", "the image's Go is not go.mod's")
	require.Contains(t, build, "CGO_ENABLED=0 go build -tags slim -trimpath")
	require.Contains(t, build, "./cmd/holdfast")

	require.Regexp(t, `^FROM gcr\.io/distroless/static-debian[0-9]+:nonroot\n`, final)
	require.Regexp(t, `\nCOPY --from=build /out/holdfast /holdfast\n`, final)
	require.Regexp(t, `\nUSER [1-9][0-9]*:[1-9][0-9]*\n`, final, "a number, so that Kubernetes can tell that it is not root")
	require.Contains(t, final, `ENTRYPOINT ["/holdfast"]`)
	require.NotContains(t, final, "RUN")

	ignored := strings.Split(read(t, ".dockerignore"), "\n")
	require.Equal(t, "*", ignored[1], "everything is left out but what is named")
	require.Contains(t, ignored, "secrets")
	// What go:embed needs must not be left out.
	for _, kept := range []string{"!**/*.go", "!**/*.sql", "!**/*.yaml", "!**/*.csv", "!go.mod", "!go.sum"} {
		require.Contains(t, ignored, kept)
	}
	_, err := os.Stat(filepath.Join(root, "config", "demo.yaml"))
	require.NoError(t, err)
}
