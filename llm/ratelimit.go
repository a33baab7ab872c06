package llm

import "time"

// RateLimit is what a vendor said beside an answer, or an error, of how much an account may still use of a model. A nil
// allowance was not told.
type RateLimit struct {
	Requests *Allowance
	// Tokens are those of the prompt and the answer together; where a vendor limits them apart, those of the prompt, which are
	// known before a call.
	Tokens *Allowance
}

// Allowance is one limit and what is left of it.
type Allowance struct {
	// Limit is how much there is between two resets; 0 if the vendor did not say.
	Limit int64
	// Remaining is how much is left.
	Remaining int64
	// ResetAfter is how long until all of Limit is there again, from the moment of the answer; 0 if the vendor did not say.
	ResetAfter time.Duration
}
