// Package managedpg runs a PostgreSQL server of our own beside the process that needs it, so that one machine needs nothing
// but this binary.
//
// It finds server binaries (or fetches a build), makes a data directory once, starts the server as an unprivileged user,
// waits until it answers with our password, and stops it in order. The server listens on 127.0.0.1 only, with scram
// passwords and without a Unix socket. It dies with its parent: by Pdeathsig on Linux, and elsewhere at the next [Start],
// which ends a server left behind on its data directory.
//
//	<dir>/postgres            the data directory (mode 0700, owned by the user that runs the server)
//	<dir>/postgres.password   password of the only role, "holdfast" (mode 0600)
//	<dir>/postgres.lock       held while a process manages this data directory
//	<dir>/pgbin               fetched server binaries, when the machine has none
//
// PG_BIN in the environment names the directory of the binaries to use; HOLDFAST_PG_MIRROR, a repository in the form of
// Maven Central to fetch them from.
//
// It never touches a data directory that another program made, never upgrades one across major versions, and is for Unix
// systems only.
package managedpg
