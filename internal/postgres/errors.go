package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// IsUnavailable tells whether err means that the database cannot be used now, and may be usable later without any change:
// it cannot be reached, is starting or stopping, is out of connections or of disk, has become a read-only replica, or did
// not answer in time. A wrong password or a missing table is not an outage. An API answers 503 for true.
//
// A deadline of the caller's own counts as the database being too slow; a cancelled context does not.
func IsUnavailable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return unavailableCode(server.Code)
	}
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case errors.Is(err, pgx.ErrNoRows), errors.Is(err, pgx.ErrTxClosed):
		return false
	case errors.As(err, &connect), errors.As(err, &network):
		return true
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err), pgconn.SafeToRetry(err):
		return true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return true
	}
	// Two errors of pgx have no type or sentinel that is exported.
	text := err.Error()
	return strings.Contains(text, "conn closed") || strings.Contains(text, "closed pool")
}

// unavailableCode sorts the server's own error codes (PostgreSQL manual, appendix A).
func unavailableCode(code string) bool {
	switch code {
	case "57P01", // admin_shutdown
		"57P02", // crash_shutdown
		"57P03", // cannot_connect_now: starting up or shutting down
		"57P05", // idle_session_timeout
		"25P03", // idle_in_transaction_session_timeout
		"25006": // read_only_sql_transaction: the primary moved elsewhere
		return true
	}
	return strings.HasPrefix(code, "08") || // connection exception
		strings.HasPrefix(code, "53") // insufficient resources: connections, disk, memory
}

// UniqueViolation returns the constraint that a write violated, and whether err is such a violation.
func UniqueViolation(err error) (constraint string, ok bool) {
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == "23505" {
		return server.ConstraintName, true
	}
	return "", false
}

// IsSerialization tells whether the transaction lost against another one (serialization failure or deadlock) and succeeds
// when run again from its beginning.
func IsSerialization(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == "40001" || server.Code == "40P01")
}

// IsDeadlock tells whether err means that PostgreSQL ended a transaction for others to go on: begun anew, it may well succeed.
func IsDeadlock(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && server.Code == "40P01"
}

// IsUnstorable tells whether err means that a text cannot be kept: it has the character U+0000, or is not UTF-8.
func IsUnstorable(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (server.Code == "22021" || server.Code == "22P05")
}
