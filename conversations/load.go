package conversations

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/replay"
)

// loadPage is how many items are read at a time.
const loadPage = 64

// Load reads a log from its end until it has as many tokens as are enough; 0 reads all. However long the log is, that costs
// the same. The error is [ErrNotFound] if there is no such conversation.
func (s *Store) Load(ctx context.Context, id string, enough int64) (replay.Loaded, error) {
	var loaded replay.Loaded
	const head = `SELECT tokens, next_seq - 1 FROM conversations WHERE id = $1`
	err := s.pool.QueryRow(ctx, head, id).Scan(&loaded.Tokens, &loaded.Count)
	if errors.Is(err, pgx.ErrNoRows) {
		return loaded, ErrNotFound
	}
	if err != nil {
		return loaded, fmt.Errorf("reading conversation %s: %w", id, err)
	}
	if loaded.Count == 0 {
		return loaded, nil
	}
	path, err := s.path(ctx, id)
	if err != nil {
		return loaded, err
	}
	page, read, before := 0, int64(0), int64(0)
	if enough > 0 {
		page = loadPage
	}
	for {
		items, err := s.backward(ctx, path, before, page)
		if err != nil {
			return loaded, err
		}
		for _, item := range items {
			read, before = read+item.Tokens, item.Seq
		}
		loaded.Items = append(loaded.Items, items...)
		if page == 0 || len(items) < page || read >= enough {
			break
		}
	}
	slices.Reverse(loaded.Items)
	if len(loaded.Items) > 0 && page > 0 && read >= enough {
		loaded.Before = loaded.Items[0].TokensBefore
	}
	if loaded.Before > 0 {
		if loaded.System, err = s.system(ctx, path, loaded.Items[0].Seq); err != nil {
			return loaded, err
		}
	}
	loaded.LastProvider, loaded.LastModel, err = s.lastAnswer(ctx, path)
	return loaded, err
}

// mostSystem bounds the system messages that are said again from far back: a client that sends one with each turn means the last.
const mostSystem = 16

// system reads the latest system messages before a place.
func (s *Store) system(ctx context.Context, path []segment, before int64) ([]replay.Item, error) {
	const query = `SELECT ` + itemColumns + ` FROM conversation_items
		WHERE conversation_id = $1 AND seq > $2 AND seq <= $3 AND role = 'system' ORDER BY seq DESC LIMIT $4`
	var found []replay.Item
	for _, at := range path {
		if at.until = min(at.until, before-1); at.after >= at.until {
			continue
		}
		rows, _ := s.pool.Query(ctx, query, at.id, at.after, at.until, mostSystem-len(found))
		more, err := pgx.CollectRows(rows, s.scanItem(ctx))
		if err != nil {
			return nil, fmt.Errorf("reading the system messages of %s: %w", at.id, err)
		}
		if found = append(found, more...); len(found) >= mostSystem {
			break
		}
	}
	slices.Reverse(found)
	return found, nil
}

// Summary reads the latest summary that stands in for nothing at or behind a place; nil if there is none.
func (s *Store) Summary(ctx context.Context, id string, until int64) (*replay.Summary, error) {
	path, err := s.path(ctx, id)
	if err != nil {
		return nil, err
	}
	const query = `SELECT from_seq, completion_id, message, tokens FROM conversation_summaries
		WHERE conversation_id = $1 AND from_seq <= $2 ORDER BY from_seq DESC LIMIT 1`
	for _, at := range path {
		var summary replay.Summary
		var message []byte
		err := s.pool.QueryRow(ctx, query, at.id, min(until, at.until)).Scan(&summary.FromSeq, &summary.CompletionID, &message, &summary.Tokens)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err == nil {
			err = s.box.Unmarshal(ctx, message, &summary.Message)
		}
		if err != nil {
			return nil, fmt.Errorf("reading a summary of %s: %w", id, err)
		}
		return &summary, nil
	}
	return nil, nil //nolint:nilnil // nothing stands in for anything, and nothing is wrong
}

// KeepSummary keeps a summary. One that stands in the same place stays, and one that tells of what was erased meanwhile is not
// kept.
func (s *Store) KeepSummary(ctx context.Context, id string, summary replay.Summary) error {
	message, err := s.box.Marshal(summary.Message)
	if err != nil {
		return fmt.Errorf("encoding a summary of %s: %w", id, err)
	}
	const insert = `INSERT INTO conversation_summaries (conversation_id, from_seq, completion_id, message, tokens)
		SELECT id, $2, $3, $4, $5 FROM conversations WHERE id = $1
		AND NOT EXISTS (SELECT FROM completions WHERE id = $3 AND (erased_at IS NOT NULL OR content_until IS NOT NULL))
		ON CONFLICT DO NOTHING`
	if _, err := s.pool.Exec(ctx, insert, id, summary.FromSeq, summary.CompletionID, message, summary.Tokens); err != nil {
		return fmt.Errorf("keeping a summary of %s: %w", id, err)
	}
	return nil
}
