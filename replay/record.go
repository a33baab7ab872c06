package replay

// Record says what of a conversation a completion was given, and at what price.
type Record struct {
	// Items and Tokens are those of the whole conversation before this turn, tokens by estimate.
	Items  int64 `json:"items"`
	Tokens int64 `json:"tokens"`
	// LastProvider and LastModel gave the last answer before; empty if nobody did.
	LastProvider string `json:"last_provider,omitempty"`
	LastModel    string `json:"last_model,omitempty"`
	// LeftOut is what was not said again for want of room; nil if nothing.
	LeftOut *LeftOut `json:"left_out,omitempty"`
	// Switch is what a change of provider or model since the last answer meant; nil if there was none.
	Switch *Switch `json:"switch,omitempty"`
}

// LeftOut is the beginning of a conversation that did not fit its target's window.
type LeftOut struct {
	// Before is the place in the log behind it: items before it were left out, but for system messages. Of a request without a
	// stored conversation it counts messages from 0.
	Before int64 `json:"before"`
	// Tokens are those that were left out, Exchanges how many questions with all that followed on each; Exchanges is 0 where they
	// were not read.
	Tokens    int64 `json:"tokens"`
	Exchanges int   `json:"exchanges,omitempty"`
	// Window is the room for the prompt that the rest was made to fit, in tokens.
	Window int64  `json:"window"`
	Reason string `json:"reason"`
	// Summary is the completion that wrote what stands in for it; empty if nothing does.
	Summary string `json:"summary,omitempty"`
}

// Switch is a change of who answers a conversation.
type Switch struct {
	FromProvider string `json:"from_provider"`
	FromModel    string `json:"from_model"`
	ToProvider   string `json:"to_provider"`
	ToModel      string `json:"to_model"`
	// Tokens are those of the prompt that had to be read anew, CostMicros what they cost, in millionths of a US dollar, and
	// LostMicros how much of that a prompt cache at the former provider would have saved. Both are nil where no price is known.
	Tokens     int64  `json:"tokens"`
	CostMicros *int64 `json:"cost_microusd,omitempty"`
	LostMicros *int64 `json:"cache_loss_microusd,omitempty"`
	// Dropped lists what could not be said to the new provider as it was said to the old.
	Dropped []Dropped `json:"dropped,omitempty"`
}

// Dropped is a kind of content that another vendor is not given, or is told in other words.
type Dropped struct {
	What   string `json:"what"`
	Count  int    `json:"count"`
	Reason string `json:"reason"`
}
