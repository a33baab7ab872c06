package completions

import "time"

// Erasure counts what was erased.
type Erasure struct {
	Conversations int `json:"conversations"`
	Completions   int `json:"completions"`
	// Running are completions that had no outcome yet: what is said in them goes within minutes of their end.
	Running int `json:"running"`
}

// Add counts what more was erased.
func (e *Erasure) Add(more Erasure) {
	e.Conversations += more.Conversations
	e.Completions += more.Completions
	e.Running += more.Running
}

// Expiry says what is too old to be kept.
type Expiry struct {
	// Before is the time before which it was said; zero keeps all.
	Before time.Time
	// Tenants have times of their own.
	Tenants map[string]time.Time
}
