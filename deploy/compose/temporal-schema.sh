#!/bin/sh
# Brings Temporal's two databases to the schema of this image's version. It may run any number of times.
set -eu

# The tool takes the password from its environment; it is in no other process's.
SQL_PASSWORD=$(cat /run/secrets/postgres-password)
export SQL_PASSWORD

for database in temporal temporal_visibility; do
  case $database in
    temporal) schema=temporal ;;
    *) schema=visibility ;;
  esac
  sql() { temporal-sql-tool --plugin postgres12_pgx --ep "${POSTGRES_HOST:-postgres}" -p "${POSTGRES_PORT:-5432}" -u holdfast --db "$database" "$@"; }
  sql create-database
  sql setup-schema -v 0.0 # leaves a newer schema alone
  sql update-schema -d "${SCHEMA_DIR:-/etc/temporal/schema}/postgresql/v12/$schema/versioned"
done
