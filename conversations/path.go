package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// segment is a stretch of a path: the items of one conversation between two places, the first of them left out.
type segment struct {
	id           string
	after, until int64
}

// beyond is behind every place.
const beyond = int64(1) << 62

// path lists the segments that lead to the end of a conversation, the last first.
func (s *Store) path(ctx context.Context, id string) ([]segment, error) {
	const query = `WITH RECURSIVE path AS (
			SELECT id, parent_id, coalesce(parent_seq, 0) AS after, $2::bigint AS until, 0 AS depth FROM conversations WHERE id = $1
			UNION ALL
			SELECT c.id, c.parent_id, coalesce(c.parent_seq, 0), p.after, p.depth + 1 FROM conversations c JOIN path p ON c.id = p.parent_id)
		SELECT id, after, until FROM path ORDER BY depth`
	rows, _ := s.pool.Query(ctx, query, id, beyond)
	path, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (segment, error) {
		var at segment
		err := row.Scan(&at.id, &at.after, &at.until)
		return at, err
	})
	if err != nil {
		return nil, fmt.Errorf("finding the way to %s: %w", id, err)
	}
	return path, nil
}

// Items reads the log in order, from after the given place, at most limit items; limit 0 reads all.
func (s *Store) Items(ctx context.Context, id string, after int64, limit int) ([]Item, error) {
	path, err := s.path(ctx, id)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, at := range slices.Backward(path) {
		if at.after = max(at.after, after); at.after >= at.until {
			continue
		}
		more, err := s.items(ctx, at, "ORDER BY seq", room(limit, len(items)))
		if err != nil {
			return nil, err
		}
		if items = append(items, more...); limit > 0 && len(items) >= limit {
			break
		}
	}
	return items, nil
}

// ItemsBackward reads the log newest first, from before the given place (0 means from the end).
func (s *Store) ItemsBackward(ctx context.Context, id string, before int64, limit int) ([]Item, error) {
	path, err := s.path(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.backward(ctx, path, before, limit)
}

func (s *Store) backward(ctx context.Context, path []segment, before int64, limit int) ([]Item, error) {
	var items []Item
	for _, at := range path {
		if before > 0 {
			at.until = min(at.until, before-1)
		}
		if at.after >= at.until {
			continue
		}
		more, err := s.items(ctx, at, "ORDER BY seq DESC", room(limit, len(items)))
		if err != nil {
			return nil, err
		}
		if items = append(items, more...); limit > 0 && len(items) >= limit {
			break
		}
	}
	return items, nil
}

// room is how many more may be read; 0 is any number.
func room(limit, have int) int {
	if limit == 0 {
		return 0
	}
	return limit - have
}

// itemColumns match scanItem.
const itemColumns = `conversation_id, seq, completion_id, message, provider, model, tokens, tokens_before, created_at`

func (s *Store) scanItem(ctx context.Context) pgx.RowToFunc[Item] {
	return func(row pgx.CollectableRow) (Item, error) {
		var item Item
		var message []byte
		err := row.Scan(&item.ConversationID, &item.Seq, &item.CompletionID, &message, &item.Provider, &item.Model, &item.Tokens,
			&item.TokensBefore, &item.CreatedAt)
		if err != nil {
			return item, err
		}
		return item, s.box.Unmarshal(ctx, message, &item.Message)
	}
}

func (s *Store) items(ctx context.Context, at segment, order string, limit int) ([]Item, error) {
	query := `SELECT ` + itemColumns + ` FROM conversation_items WHERE conversation_id = $1 AND seq > $2 AND seq <= $3 ` + order + ` LIMIT nullif($4, 0)`
	rows, _ := s.pool.Query(ctx, query, at.id, at.after, at.until, limit)
	items, err := pgx.CollectRows(rows, s.scanItem(ctx))
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s: %w", at.id, err)
	}
	return items, nil
}

// Item reads one item at its place. The error is [ErrNotFound] if there is none.
func (s *Store) Item(ctx context.Context, id string, seq int64) (Item, error) {
	path, err := s.path(ctx, id)
	if err != nil {
		return Item{}, err
	}
	for _, at := range path {
		if seq > at.after && seq <= at.until {
			items, err := s.items(ctx, segment{at.id, seq - 1, seq}, "", 1)
			if err == nil && len(items) == 0 {
				err = ErrNotFound
			}
			if err != nil {
				return Item{}, err
			}
			return items[0], nil
		}
	}
	return Item{}, ErrNotFound
}

// AnswerPlace is where the answer of a completion stands in the log. The error is [ErrNotFound] if it does not.
func (s *Store) AnswerPlace(ctx context.Context, id, completionID string) (seq int64, err error) {
	path, err := s.path(ctx, id)
	if err != nil {
		return 0, err
	}
	const query = `SELECT conversation_id, max(seq) FROM conversation_items WHERE completion_id = $1 AND provider <> '' GROUP BY conversation_id`
	var where string
	err = s.pool.QueryRow(ctx, query, completionID).Scan(&where, &seq)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("looking for the answer of %s: %w", completionID, err)
	}
	for _, at := range path {
		if at.id == where && seq > at.after && seq <= at.until {
			return seq, nil
		}
	}
	return 0, ErrNotFound
}

// lastAnswer says who gave the last answer on a path; empty if nobody did.
func (s *Store) lastAnswer(ctx context.Context, path []segment) (provider, model string, err error) {
	const query = `SELECT provider, model FROM conversation_items WHERE conversation_id = $1 AND seq > $2 AND seq <= $3 AND provider <> ''
		ORDER BY seq DESC LIMIT 1`
	for _, at := range path {
		err = s.pool.QueryRow(ctx, query, at.id, at.after, at.until).Scan(&provider, &model)
		if !errors.Is(err, pgx.ErrNoRows) {
			break
		}
		err = nil
	}
	if err != nil {
		return "", "", fmt.Errorf("reading who answered last: %w", err)
	}
	return provider, model, nil
}
