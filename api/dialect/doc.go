// Package dialect is what the dialects that clients speak have in common: the request that each is decoded to, the stream that
// each encodes an answer as, and the failure that each tells in words of its own. It knows no dialect.
package dialect
