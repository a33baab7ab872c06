package access

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

// Errors of admin tokens that callers act on, beside [ErrInvalid], [ErrUnavailable], [ErrNotFound] and [*BadScopeError].
var (
	ErrBadAdminName = errors.New("an admin token's name must be 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit")
	ErrExists       = errors.New("there is an admin token of this name that is not revoked")
	ErrBadExpiry    = errors.New("an admin token cannot expire in the past")
)

// AdminTokenInfo describes an admin token without revealing anything of it.
type AdminTokenInfo struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Scopes    []Scope   `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is nil for a token that does not expire, RevokedAt while it is not revoked.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// AdminTokens holds the admin tokens beside the root token, which is a file: [LoadAdminToken]. Each request asks the database:
// operators make few of them, and what is revoked is refused from then on by every process. It is safe for concurrent use.
type AdminTokens struct{ pool *pgxpool.Pool }

// NewAdminTokens uses the pool, which the caller closes.
func NewAdminTokens(pool *pgxpool.Pool) *AdminTokens { return &AdminTokens{pool: pool} }

const adminTokenColumns = `id, name, scopes, created_at, expires_at, revoked_at`

const insertAdminToken = `INSERT INTO admin_tokens (id, name, scopes, hash, expires_at) VALUES ($1, $2, $3, $4, $5)
RETURNING ` + adminTokenColumns

// Create makes a token, which expires at a time if one is given, and writes it down in the audit log. The token in clear can be had
// here only. The error is [ErrBadAdminName], [*BadScopeError], [ErrBadExpiry] or [ErrExists] where that is what is wrong.
func (s *AdminTokens) Create(ctx context.Context, name string, scopes []Scope, expires *time.Time) (AdminTokenInfo, llm.Secret, error) {
	if !validName.MatchString(name) {
		return AdminTokenInfo{}, "", ErrBadAdminName
	}
	scopes, err := checkScopes(scopes)
	if err != nil {
		return AdminTokenInfo{}, "", err
	}
	if expires != nil && !expires.After(time.Now()) {
		return AdminTokenInfo{}, "", ErrBadExpiry
	}
	secret, err := newSecret(adminPrefix)
	if err != nil {
		return AdminTokenInfo{}, "", err
	}
	random := make([]byte, 10)
	if _, err := rand.Read(random); err != nil {
		return AdminTokenInfo{}, "", fmt.Errorf("generate token id: %w", err)
	}
	hash := digestOf(secret.Reveal())
	token, err := s.change(ctx, "admin_token.create", insertAdminToken, "adm_"+hex.EncodeToString(random), name, scopes, hash[:], expires)
	if _, duplicate := postgres.UniqueViolation(err); duplicate {
		return AdminTokenInfo{}, "", ErrExists
	}
	if err != nil {
		return AdminTokenInfo{}, "", fmt.Errorf("create admin token: %w", err)
	}
	return token, secret, nil
}

// List describes all admin tokens, the oldest first, expired and revoked ones too.
func (s *AdminTokens) List(ctx context.Context) ([]AdminTokenInfo, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+adminTokenColumns+` FROM admin_tokens ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list admin tokens: %w", err)
	}
	tokens, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AdminTokenInfo])
	if err != nil {
		return nil, fmt.Errorf("list admin tokens: %w", err)
	}
	return tokens, nil
}

const revokeAdminToken = `UPDATE admin_tokens SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL
RETURNING ` + adminTokenColumns

// Revoke ends a token at once, in every process, and writes it down in the audit log. Revoking twice changes nothing. It returns
// [ErrNotFound] for an unknown id.
func (s *AdminTokens) Revoke(ctx context.Context, id string) error {
	_, err := s.change(ctx, "admin_token.revoke", revokeAdminToken, id)
	if errors.Is(err, pgx.ErrNoRows) {
		var known bool
		if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM admin_tokens WHERE id = $1)`, id).Scan(&known); err != nil {
			return fmt.Errorf("revoke admin token: %w", err)
		}
		if !known {
			return ErrNotFound
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("revoke admin token: %w", err)
	}
	return nil
}

// change runs a statement that returns the changed token, and audits it in the same transaction.
func (s *AdminTokens) change(ctx context.Context, action, query string, args ...any) (token AdminTokenInfo, err error) {
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err //nolint:wrapcheck // wrapped by the callers
		}
		if token, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[AdminTokenInfo]); err != nil {
			return err //nolint:wrapcheck // wrapped by the callers
		}
		return audit.Record(ctx, tx, audit.Event{Action: action, Subject: token.Name, After: audit.Describe(token)})
	})
	return token, err
}

const selectAdminToken = `SELECT name, scopes, expires_at FROM admin_tokens
WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`

// Verify says who uses the token. The error is [ErrInvalid] for one that is malformed, unknown, expired or revoked, and
// [ErrUnavailable] where the database cannot be asked. What is compared, by an index, is the hash: its timing says nothing of a token.
func (s *AdminTokens) Verify(ctx context.Context, token string) (AdminPrincipal, error) {
	if !wellFormed(token, adminPrefix) {
		return AdminPrincipal{}, ErrInvalid
	}
	hash := digestOf(token)
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	var principal AdminPrincipal
	err := s.pool.QueryRow(ctx, selectAdminToken, hash[:]).Scan(&principal.Name, &principal.Scopes, &principal.ExpiresAt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return AdminPrincipal{}, ErrInvalid
	case err != nil:
		return AdminPrincipal{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return principal, nil
}
