// Package access says who may use Holdfast: tenants, the API tokens that act for them, the administrator's own token (root), and
// admin tokens, which may do what their scopes say.
//
// A token is shown once, when it is made; the database holds its SHA-256 hash. Verifying one costs a database query every
// few seconds at most, and goes on through the database's outages for tokens seen before:
//
//	verified at most [Fresh] ago          accepted from memory
//	verified at most [Stale] ago          accepted only if the database cannot be asked
//	unknown or revoked                    [ErrInvalid]: the caller answers 401
//	the database cannot be asked          [ErrUnavailable]: the caller answers 503, never 401
package access
