package replay

import "github.com/holdfast-dev/holdfast/llm"

// Entry is a message with its length in tokens.
type Entry struct {
	Role   llm.Role
	Tokens int64
}

// stepShare is the share of the window by which the place moves from which a conversation is said again: the prompt's beginning stays
// the same until that much more has been said, so that prompt caches keep it.
const stepShare = 0.3

// Start is the index of the first entry that is said again, for all of them to fit the room. Before is how many tokens were said
// before the first entry, in what need not have been read, and system how many of those are said again all the same. An exchange is left out whole: a question, the answer, and the
// calls and results between. The last exchange always stays: if it does not fit, fits is false.
//
// The same conversation is cut in the same places whoever asks, and however much of it was read: places lie on a grid of
// stepShare of the room.
func Start(entries []Entry, before, system, room int64) (index int, fits bool) {
	total := before
	for _, entry := range entries {
		total += entry.Tokens
	}
	if total <= room && before == 0 {
		return 0, true
	}
	step := max(1, int64(float64(room)*stepShare))
	last := 0
	for i := range entries {
		if begins(entries, i) {
			last = i
		}
	}
	for least := (max(0, total-room) + step - 1) / step * step; ; least += step {
		at, said := -1, before
		for i, entry := range entries {
			if said >= least && begins(entries, i) {
				at = i
				break
			}
			said += entry.Tokens
		}
		if at < 0 || at >= last {
			rest := int64(0)
			for _, entry := range entries[last:] {
				rest += entry.Tokens
			}
			return last, rest+system+systemTokens(entries[:last]) <= room
		}
		if total-said+system+systemTokens(entries[:at]) <= room {
			return at, true
		}
	}
}

// begins says whether an exchange begins at an entry: with the first of one or more messages of the user.
func begins(entries []Entry, i int) bool {
	return entries[i].Role == llm.RoleUser && (i == 0 || entries[i-1].Role != llm.RoleUser)
}

// systemTokens are those of what is said again though it lies before the start.
func systemTokens(entries []Entry) (tokens int64) {
	for _, entry := range entries {
		if entry.Role == llm.RoleSystem {
			tokens += entry.Tokens
		}
	}
	return tokens
}

// Exchanges counts the exchanges that begin in some entries.
func Exchanges(entries []Entry) (count int) {
	for i := range entries {
		if begins(entries, i) {
			count++
		}
	}
	return count
}

// From are the messages from an index on, behind the system messages before it and, if there is one, what stands in for the rest.
func From(messages []llm.Message, index int, summary *llm.Message) []llm.Message {
	kept := make([]llm.Message, 0, len(messages)-index+2)
	for _, message := range messages[:index] {
		if message.Role == llm.RoleSystem {
			kept = append(kept, message)
		}
	}
	if summary != nil {
		kept = append(kept, *summary)
	}
	return append(kept, messages[index:]...)
}
