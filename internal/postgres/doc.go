// Package postgres is how Holdfast reaches its own database: one pool, one way to run a transaction, one way to migrate, and
// one place that tells an outage from a mistake.
//
// Migrations are the files of migrations/, embedded, applied in order by [Migrate] and never edited once released. Stores
// keep their SQL in constants beside the method that runs it; no SQL but the migrations lives here.
package postgres
