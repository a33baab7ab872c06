package replay

import "github.com/holdfast-dev/holdfast/llm"

// Lost lists what of some messages a provider's model cannot be told as another was told it (replay rules 9 to 11 and 19): opaque
// pieces go back to where they come from alone.
func Lost(messages []llm.Message, provider, model string) []Dropped {
	thoughts, encrypted, signatures, tools := 0, 0, 0, 0
	for _, message := range messages {
		for _, part := range message.Parts {
			ours := part.Opaque != nil && part.Opaque.Origin.Provider == provider && part.Opaque.Origin.Model == model
			switch {
			case ours:
			case part.Type == llm.PartReasoning && part.Text != "":
				thoughts++
			case part.Type == llm.PartReasoning:
				encrypted++
			case part.Type == llm.PartServerTool:
				tools++
			case part.Opaque != nil:
				signatures++
			}
		}
	}
	var lost []Dropped
	for _, kind := range []Dropped{
		{"thinking", thoughts, "thoughts are bound to the model that had them"},
		{"encrypted_reasoning", encrypted, "only the account that it was given to can read it"},
		{"signatures", signatures, "signatures are bound to the model that made them"},
		{"server_tools", tools, "told in words: another vendor's tools are not known"},
	} {
		if kind.Count > 0 {
			lost = append(lost, kind)
		}
	}
	return lost
}

// Prices of a prompt's tokens, in millionths of a US dollar for a million of them.
type Prices struct{ Input, CacheRead int64 }

// NewSwitch says what a change of who answers meant: prompt tokens were read anew at the new provider's price, while the former
// one's prompt cache may have held as many as held. Prices are nil where they are not known.
func NewSwitch(from, to [2]string, prompt, cached, held int64, was, is *Prices, lost []Dropped) *Switch {
	change := &Switch{
		FromProvider: from[0], FromModel: from[1], ToProvider: to[0], ToModel: to[1], Tokens: max(0, prompt-cached), Dropped: lost,
	}
	if is != nil {
		cost := price(change.Tokens, is.Input)
		change.CostMicros = &cost
	}
	if was != nil {
		saved := price(min(held, prompt), max(0, was.Input-was.CacheRead))
		change.LostMicros = &saved
	}
	return change
}

// price is what tokens cost, rounded up.
func price(tokens, perMillion int64) int64 { return (tokens*perMillion + 999_999) / 1_000_000 }
