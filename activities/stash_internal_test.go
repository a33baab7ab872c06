package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
)

func TestTheStashHoldsAnAnswerUntilItIsFetchedOrOld(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := newStash(func() time.Time { return now })
	put := func(id string, number int) {
		s.put(id, number, stashed{answer: llm.Response{ID: id}, at: now, duration: time.Second})
	}
	put("a", 1)
	held, ok := s.look("a", 1)
	require.True(t, ok)
	require.Equal(t, "a", held.answer.ID)
	require.Equal(t, time.Second, held.duration)
	_, ok = s.look("a", 2)
	require.False(t, ok, "another attempt's answer is another")
	_, ok = s.look("a", 1)
	require.True(t, ok, "looking does not take: the recording may have to be repeated")

	now = now.Add(10 * time.Minute)
	put("b", 1)
	now = now.Add(6 * time.Minute)
	put("c", 1)
	_, ok = s.look("a", 1)
	require.False(t, ok, "nobody came for it")
	_, ok = s.look("b", 1)
	require.True(t, ok)
	s.drop("b", 1)
	_, ok = s.look("b", 1)
	require.False(t, ok)
	require.Len(t, s.answers, 1)
}
