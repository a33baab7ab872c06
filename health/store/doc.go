// Package store keeps what processes know of providers in PostgreSQL, and announces changes to all of them.
package store
