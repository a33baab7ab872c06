package mint

import (
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// defaultTimeout bounds one call where [Settings.Timeout] does not.
const defaultTimeout = 30 * time.Second

// Settings say how credentials are made. They hold no secret.
type Settings struct {
	// Kind is one of [Kinds].
	Kind string
	// Project is OpenAI's id of the project whose service accounts are made: proj_….
	Project string
	// User is the name of the IAM user whose access keys are made.
	User string
	// Resource is Azure's id of the account whose keys are made: /subscriptions/…/providers/Microsoft.CognitiveServices/accounts/….
	Resource string
	// APIVersion is that of Azure's resource manager; empty is one that is known to work.
	APIVersion string
	// URL is the operator's webhook.
	URL string
	// Command is the operator's program, by its absolute path, and its arguments.
	Command []string
	// Endpoint replaces the address of the vendor's API, without its version; empty is the vendor's own.
	Endpoint string
	// Timeout bounds each call, or the program's run; 0 is 30 seconds.
	Timeout time.Duration
}

// SettingError says what is wrong with a setting.
type SettingError struct {
	// Setting is its name in the configuration, such as "project".
	Setting string
	Problem string
}

// Error names the setting and never its value, which may be an address that somebody put a secret into.
func (e *SettingError) Error() string { return e.Setting + ": " + e.Problem }

// kind is what is known of one way of making credentials.
type kind struct {
	name string
	// needs and takes name the settings beside timeout: those that must be there, and those that may.
	needs, takes []string
	// admin says that nothing can be done without an admin credential.
	admin bool
	open  func(Settings, exchange) Minter
}

func kinds() []kind {
	return []kind{
		{
			name: "aws_iam", needs: []string{"user"}, takes: []string{"endpoint"},
			open: func(s Settings, x exchange) Minter { return awsIAM{user: s.User, endpoint: s.Endpoint, exchange: x} },
		},
		{
			name: "azure", needs: []string{"resource"}, takes: []string{"endpoint", "api_version"}, admin: true,
			open: func(s Settings, x exchange) Minter { return newAzure(s, x) },
		},
		{
			name: "command", needs: []string{"command"},
			open: func(s Settings, x exchange) Minter { return command{argv: s.Command, timeout: x.timeout} },
		},
		{
			name: "gcp", takes: []string{"endpoint"},
			open: func(s Settings, x exchange) Minter { return newGCP(s, x) },
		},
		{
			name: "openai", needs: []string{"project"}, takes: []string{"endpoint"}, admin: true,
			open: func(s Settings, x exchange) Minter { return newOpenAI(s, x) },
		},
		{
			name: "webhook", needs: []string{"url"},
			open: func(s Settings, x exchange) Minter { return webhook{address: s.URL, exchange: x} },
		},
	}
}

// find gives the kind of a name.
func find(name string) (kind, bool) {
	known := kinds()
	i := slices.IndexFunc(known, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, false
	}
	return known[i], true
}

// Kinds lists the kinds of minters, sorted.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// NeedsAdmin reports whether a kind's calls need [Request.Admin]. Where it is not needed, the key in use makes its successor, or
// requests are not signed. An unknown kind needs none.
func NeedsAdmin(name string) bool {
	k, _ := find(name)
	return k.admin
}

// New makes the minter that the settings describe. Its calls go through client's transport, without its cookies, redirects and
// timeout; nil stands for [http.DefaultTransport]. The error is a *[SettingError].
func New(settings Settings, client *http.Client) (Minter, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	k, _ := find(settings.Kind)
	return k.open(settings, newExchange(client, settings.Timeout)), nil
}

var (
	validProject  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	validUser     = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]{1,64}$`) // docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
	validResource = regexp.MustCompile(`(?i)^/subscriptions/[a-z0-9-]+/resourceGroups/[a-z0-9_.()-]+/providers/Microsoft\.CognitiveServices/accounts/[a-z0-9][a-z0-9_.-]+$`)
	validVersion  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$`)
)

// Validate checks the settings of one minter as a whole. The error is a *[SettingError].
func (s Settings) Validate() error {
	k, ok := find(s.Kind)
	if !ok {
		return &SettingError{"kind", "is none of " + strings.Join(Kinds(), ", ")}
	}
	given := s.given()
	for _, name := range k.needs {
		if !given[name] {
			return &SettingError{name, "is missing: " + s.Kind + " needs it"}
		}
	}
	for _, name := range settingNames() {
		if given[name] && !slices.Contains(k.needs, name) && !slices.Contains(k.takes, name) {
			return &SettingError{name, "is no setting of " + s.Kind}
		}
	}
	if s.Timeout < 0 {
		return &SettingError{"timeout", "is negative"}
	}
	return s.validateForms()
}

func settingNames() []string {
	return []string{"project", "user", "resource", "api_version", "url", "command", "endpoint"}
}

func (s Settings) given() map[string]bool {
	return map[string]bool{
		"project": s.Project != "", "user": s.User != "", "resource": s.Resource != "", "api_version": s.APIVersion != "",
		"url": s.URL != "", "command": len(s.Command) > 0, "endpoint": s.Endpoint != "",
	}
}

// validateForms checks what is there.
func (s Settings) validateForms() error {
	for _, form := range []struct {
		name, value string
		valid       *regexp.Regexp
		problem     string
	}{
		{"project", s.Project, validProject, "is no id of a project"},
		{"user", s.User, validUser, "is no name of an IAM user"},
		{"resource", s.Resource, validResource, "is no id of a Cognitive Services account: " +
			"/subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/…"},
		{"api_version", s.APIVersion, validVersion, "is no version such as 2024-10-01"},
	} {
		if form.value != "" && !form.valid.MatchString(form.value) {
			return &SettingError{form.name, form.problem}
		}
	}
	for name, address := range map[string]string{"url": s.URL, "endpoint": s.Endpoint} {
		if problem := problemOf(address); address != "" && problem != "" {
			return &SettingError{name, problem}
		}
	}
	if len(s.Command) > 0 && !filepath.IsAbs(s.Command[0]) {
		return &SettingError{"command", "does not begin with the absolute path of a program"}
	}
	return nil
}
