// Package keys is the encrypted vault of provider keys. A key exists in clear in the memory of the processes that call
// providers, and nowhere else.
//
//	key ──AES-256-GCM──▶ sealed        under a fresh data key, bound to provider/name
//	data key ──keeper──▶ wrapped_key   by AWS KMS, GCP KMS, Azure Key Vault, HashiCorp Vault or a local file
//
// [Vault.Add], [Vault.Replace] and [Vault.Disable] change the table and notify; [Vault.Run] keeps a copy in memory that
// follows within milliseconds and outlives the database's outages; [Vault.Keys] reads that copy and costs nothing.
//
// Nothing here logs a key, returns one in an error, or writes one unsealed.
package keys
