// Package handover passes a completion's request to the activities, and its outcome back to the waiting HTTP handler,
// inside one process. It is the short way only: everything it carries also stands in PostgreSQL, and whoever finds nothing
// here goes there.
package handover
