// Package llm is the canonical model of a completion: what every dialect is decoded into and every provider is rendered
// from. It knows no vendor, no wire format and no storage, and imports the standard library only.
//
//	dialect (api) ──▶ llm.Request ──▶ provider adapter ──▶ vendor
//	dialect (api) ◀── llm.Response ◀── provider adapter ◀── vendor
//
// A field that a vendor cannot honour is reported by its adapter as a [Warning], never dropped in silence.
package llm
