// Package store keeps completions, attempts and process leases in PostgreSQL. Each step of a completion is one statement
// or one transaction, fenced by the completion's epoch, and safe to repeat.
package store
