// Package providers makes the adapter for a provider's name. Each vendor has a package of its own below this one, which
// docs/adding-a-provider.md describes; none of them knows another.
package providers
