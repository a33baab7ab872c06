package keys

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Attributes are what is known of a key beside itself. Nil leaves an attribute as it is.
type Attributes struct {
	Account *string
	Weight  *int
	Tenants *[]string
	// ExpiresAt is when the key ends; the zero time says that this is not known. It belongs to the key: another one in its place
	// has its own. So does Handle.
	ExpiresAt *time.Time
	Handle    *string
}

// apply writes what is given.
func (a Attributes) apply(ctx context.Context, tx pgx.Tx, provider, name string) error {
	for column, value := range a.columns() {
		if err := value.flaw(); err != nil {
			return err
		}
		query := `UPDATE provider_keys SET ` + pgx.Identifier{column}.Sanitize() + ` = $3 WHERE provider = $1 AND name = $2`
		if _, err := tx.Exec(ctx, query, provider, name, value.set); err != nil {
			return err //nolint:wrapcheck // wrapped by change
		}
	}
	return nil
}

// attribute is a value to be set, if it has no flaw.
type attribute struct {
	set   any
	wrong string
}

func (a attribute) flaw() error {
	if a.wrong == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrBadAttribute, a.wrong)
}

const (
	maxWeight  = 1000
	maxTenants = 1000
	maxHandle  = 500
)

func (a Attributes) columns() map[string]attribute {
	columns := map[string]attribute{}
	if a.Account != nil {
		columns["account"] = attribute{set: *a.Account}
		if *a.Account != "" && !validName.MatchString(*a.Account) {
			columns["account"] = attribute{wrong: "an account is 1 to 63 of a-z, 0-9, _ and -"}
		}
	}
	if a.Weight != nil {
		columns["weight"] = attribute{set: *a.Weight}
		if *a.Weight < 0 || *a.Weight > maxWeight {
			columns["weight"] = attribute{wrong: fmt.Sprintf("a weight is 0 to %d", maxWeight)}
		}
	}
	if a.Tenants != nil {
		tenants := slices.Clone(*a.Tenants)
		if tenants == nil {
			tenants = []string{}
		}
		columns["tenants"] = attribute{set: tenants}
		if len(tenants) > maxTenants || slices.ContainsFunc(tenants, func(tenant string) bool { return !validName.MatchString(tenant) }) {
			columns["tenants"] = attribute{wrong: fmt.Sprintf("at most %d tenants, each 1 to 63 of a-z, 0-9, _ and -", maxTenants)}
		}
	}
	if a.ExpiresAt != nil {
		columns["expires_at"] = attribute{set: nullable(*a.ExpiresAt)}
	}
	if a.Handle != nil {
		columns["handle"] = attribute{set: *a.Handle}
		if len(*a.Handle) > maxHandle {
			columns["handle"] = attribute{wrong: fmt.Sprintf("a handle has at most %d characters", maxHandle)}
		}
	}
	return columns
}

func nullable(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
