package access

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-dev/holdfast/audit"
	"github.com/holdfast-dev/holdfast/internal/postgres"
	"github.com/holdfast-dev/holdfast/llm"
)

// Errors that callers act on.
var (
	// ErrInvalid means that the token is malformed, unknown or revoked; it does not say which.
	ErrInvalid = errors.New("invalid token")
	// ErrUnavailable means that nobody can say now whether the token is good.
	ErrUnavailable = errors.New("tokens cannot be verified now")
	ErrNotFound    = errors.New("there is no token of this id")
	ErrBadName     = errors.New("a tenant or token name must be 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit")
)

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// Principal is who a request acts for.
type Principal struct {
	Tenant  string
	TokenID string
}

// Token describes an API token without revealing anything of it.
type Token struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	// RevokedAt is nil while the token is good.
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// Store holds tenants and their tokens. It is safe for concurrent use.
type Store struct {
	pool     *pgxpool.Pool
	verifier *verifier
}

// NewStore uses the pool, which the caller closes. now is the clock that the age of what is remembered is told by: time.Now
// where it is nil.
func NewStore(pool *pgxpool.Pool, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	store := &Store{pool: pool}
	store.verifier = newVerifier(store.lookup, now)
	return store
}

const insertTenant = `INSERT INTO tenants (id) VALUES ($1) ON CONFLICT DO NOTHING`

const insertToken = `INSERT INTO api_tokens (id, tenant, name, hash) VALUES ($1, $2, $3, $4)
RETURNING id, tenant, name, created_at, revoked_at`

// Create makes a token for the tenant, and the tenant if there is none, and writes it down in the audit log. The token in clear can be had here only. It returns
// [ErrBadName] for a bad tenant or name; names need not be unique.
func (s *Store) Create(ctx context.Context, tenant, name string) (Token, llm.Secret, error) {
	if !validName.MatchString(tenant) || !validName.MatchString(name) {
		return Token{}, "", ErrBadName
	}
	secret, err := newSecret(tokenPrefix)
	if err != nil {
		return Token{}, "", err
	}
	random := make([]byte, 10)
	if _, err := rand.Read(random); err != nil {
		return Token{}, "", fmt.Errorf("generate token id: %w", err)
	}
	hash := digestOf(secret.Reveal())
	var token Token
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insertTenant, tenant); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		rows, err := tx.Query(ctx, insertToken, "tok_"+hex.EncodeToString(random), tenant, name, hash[:])
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		if token, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Token]); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		return audit.Record(ctx, tx, audit.Event{Action: "token.create", Subject: token.ID, After: audit.Describe(token)})
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("create token: %w", err)
	}
	return token, secret, nil
}

const listTokens = `SELECT id, tenant, name, created_at, revoked_at FROM api_tokens
WHERE $1 = '' OR tenant = $1 ORDER BY tenant, created_at, id`

// List describes the tenant's tokens, or everybody's where tenant is empty: by tenant, the oldest first, revoked ones too.
func (s *Store) List(ctx context.Context, tenant string) ([]Token, error) {
	rows, err := s.pool.Query(ctx, listTokens, tenant)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	tokens, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Token])
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

const revokeToken = `UPDATE api_tokens SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL
RETURNING id, tenant, name, created_at, revoked_at`

const knowsToken = `SELECT EXISTS (SELECT 1 FROM api_tokens WHERE id = $1)`

// Revoke ends a token: here at once, in other processes within [Fresh], and within [Stale] in one that has lost the
// database. Revoking twice changes nothing. It is written down in the audit log. It returns [ErrNotFound] for an unknown id.
func (s *Store) Revoke(ctx context.Context, id string) error {
	known := false
	err := postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, knowsToken, id).Scan(&known); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		rows, err := tx.Query(ctx, revokeToken, id)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		token, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Token])
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // unknown, or revoked before
		}
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		return audit.Record(ctx, tx, audit.Event{Action: "token.revoke", Subject: token.ID, After: audit.Describe(token)})
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	if !known {
		return ErrNotFound
	}
	s.verifier.forget(id)
	return nil
}

// Verify says who the token acts for. The error is [ErrInvalid] or [ErrUnavailable], or that of ctx if it ended first.
func (s *Store) Verify(ctx context.Context, token string) (Principal, error) {
	if !wellFormed(token, tokenPrefix) {
		return Principal{}, ErrInvalid
	}
	return s.verifier.verify(ctx, digestOf(token))
}

const selectToken = `SELECT tenant, id FROM api_tokens WHERE hash = $1 AND revoked_at IS NULL`

// lookup asks the database. The hash of what came is compared there by an index: its timing tells of the hash, which says
// nothing about any token.
func (s *Store) lookup(ctx context.Context, hash digest) (Principal, error) {
	var principal Principal
	err := s.pool.QueryRow(ctx, selectToken, hash[:]).Scan(&principal.Tenant, &principal.TokenID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Principal{}, ErrInvalid
	case err != nil:
		return Principal{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return principal, nil
}
