// Package seal keeps what is said sealed in the database: AES-256-GCM under a data key, which the vault's keeper wraps. What was
// sealed is opened whether sealing is on or not, and what was not sealed is read as it is, so that it can be switched on and off.
//
// A data key is used until another takes its place; what was sealed under the former ones is opened with them as long as it is
// kept.
package seal
