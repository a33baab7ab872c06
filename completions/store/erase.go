package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/conversations"
	"github.com/holdfast-dev/holdfast/internal/postgres"
)

// erase takes away everything that was said in some completions, wherever it stands, and leaves their numbers: who was called,
// when, how long it took and what it used. The vendors' words for their errors go too, since vendors quote.
var erase = []string{ //nolint:gochecknoglobals // statements that never change
	`UPDATE completions SET erased_at = clock_timestamp(), fingerprint = '', end_user = '', metadata = NULL, content_until = NULL,
		error = error - 'detail' - 'param' WHERE id = ANY($1)`,
	`UPDATE attempts SET answer = NULL, error = error - 'detail' - 'param' WHERE completion_id = ANY($1)`,
	`DELETE FROM completion_requests WHERE completion_id = ANY($1)`,
	`DELETE FROM completion_answers WHERE completion_id = ANY($1)`,
	`DELETE FROM completion_transcripts WHERE completion_id = ANY($1)`,
	`DELETE FROM completion_cache WHERE completion_id = ANY($1)`,
	`DELETE FROM media WHERE scope = ANY($1)`,
}

// Erase takes away what was said in a completion, in its conversation too, and leaves its numbers. One that is erased already stays
// so. The error is [completions.ErrNotFound] if the tenant has no such completion, and [completions.ErrOpen] while it runs.
func (s *Store) Erase(ctx context.Context, tenant, id string) error {
	return postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT state FROM completions WHERE id = $1 AND tenant = $2 FOR UPDATE`, id, tenant)
		states, err := pgx.CollectRows(rows, pgx.RowTo[completions.State])
		switch {
		case err != nil:
			return fmt.Errorf("reading the state of %s: %w", id, err)
		case len(states) == 0:
			return completions.ErrNotFound
		case states[0] == completions.StateOpen:
			return completions.ErrOpen
		}
		return eraseAll(ctx, tx, []string{id})
	})
}

// eraseAll erases completions, none of which runs, within a transaction.
func eraseAll(ctx context.Context, tx pgx.Tx, ids []string) error {
	// What a model wrote of their conversations, and of what forks from them, goes as well: it may tell of them. What it is about
	// to write goes when it is written.
	const tree = `WITH RECURSIVE tree AS (
			SELECT conversation_id AS id FROM completions WHERE id = ANY($1) AND conversation_id IS NOT NULL
			UNION
			SELECT c.id FROM conversations c JOIN tree t ON c.parent_id = t.id) `
	const written = `UPDATE completions SET content_until = clock_timestamp() WHERE dialect = $2 AND erased_at IS NULL AND id <> ALL($1)
		AND conversation_id IN (SELECT id FROM tree) RETURNING id, state`
	rows, _ := tx.Query(ctx, tree+written, ids, completions.DialectSummary)
	type summary struct {
		ID    string
		State completions.State
	}
	summaries, err := pgx.CollectRows(rows, pgx.RowToStructByPos[summary])
	if err != nil {
		return fmt.Errorf("looking for summaries: %w", err)
	}
	const retell = tree + `DELETE FROM conversation_summaries WHERE conversation_id IN (SELECT id FROM tree)`
	for _, statement := range []string{retell, `DELETE FROM conversation_items WHERE completion_id = ANY($1)`} {
		if _, err := tx.Exec(ctx, statement, ids); err != nil {
			return fmt.Errorf("erasing turns: %w", err)
		}
	}
	for _, written := range summaries {
		if written.State != completions.StateOpen {
			ids = append(ids, written.ID)
		}
	}
	for _, statement := range erase {
		if _, err := tx.Exec(ctx, statement, ids); err != nil {
			return fmt.Errorf("erasing completions: %w", err)
		}
	}
	return nil
}

// EraseConversation takes away a conversation with all that follows on its turns, what was said in their completions, and what
// stands in a cache of it. The error is [conversations.ErrNotFound] if the tenant has no such conversation, and
// [conversations.ErrBusy] while a completion is at it.
func (s *Store) EraseConversation(ctx context.Context, tenant, id string) (erased completions.Erasure, err error) {
	for range deadlocks {
		err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
			tree, err := conversations.LockTree(ctx, tx, tenant, id)
			if err != nil {
				return err
			}
			erased, err = eraseTree(ctx, tx, id, tree)
			return err
		})
		if !postgres.IsDeadlock(err) {
			break
		}
	}
	return erased, err
}

// deadlocks is how often an erasure is begun anew that took locks in another order than turns that come at the same time.
const deadlocks = 5

// eraseTree erases a conversation and what forks from it, all of which are locked.
func eraseTree(ctx context.Context, tx pgx.Tx, id string, tree []string) (completions.Erasure, error) {
	rows, _ := tx.Query(ctx, `SELECT id FROM completions WHERE conversation_id = ANY($1) AND erased_at IS NULL`, tree)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return completions.Erasure{}, fmt.Errorf("listing the completions of %s: %w", id, err)
	}
	if err := eraseAll(ctx, tx, ids); err != nil {
		return completions.Erasure{}, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM media WHERE scope = ANY($1)`, tree); err != nil {
		return completions.Erasure{}, fmt.Errorf("erasing the media of %s: %w", id, err)
	}
	return completions.Erasure{Conversations: len(tree), Completions: len(ids)}, conversations.DeleteTree(ctx, tx, id)
}

// EraseUser takes away all that was said for an end user: the completions, their turns, and each conversation whose completions
// were all for that user. What is running is erased when it has ended.
func (s *Store) EraseUser(ctx context.Context, tenant, user string) (erased completions.Erasure, err error) {
	if user == "" {
		return erased, nil
	}
	const roots = `WITH RECURSIVE up AS (
			SELECT DISTINCT c.id, c.parent_id FROM conversations c JOIN completions p ON p.conversation_id = c.id
			WHERE p.tenant = $1 AND p.end_user = $2
			UNION
			SELECT c.id, c.parent_id FROM conversations c JOIN up ON c.id = up.parent_id)
		SELECT id FROM up WHERE parent_id IS NULL ORDER BY id`
	rows, _ := s.pool.Query(ctx, roots, tenant, user)
	trees, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return erased, fmt.Errorf("looking for conversations of an end user: %w", err)
	}
	for _, root := range trees {
		more, err := s.eraseOwn(ctx, tenant, user, root)
		if err != nil {
			return erased, err
		}
		erased.Add(more)
	}
	for {
		more, err := s.eraseBatch(ctx, `tenant = $1 AND end_user = $2`, tenant, user)
		if err != nil {
			return erased, err
		}
		if erased.Add(more); more.Completions == 0 {
			break
		}
	}
	const running = `UPDATE completions SET content_until = clock_timestamp() WHERE tenant = $1 AND end_user = $2 AND state = 'open'`
	tag, err := s.pool.Exec(ctx, running, tenant, user)
	if err != nil {
		return erased, fmt.Errorf("noting what is running for an end user: %w", err)
	}
	erased.Running = int(tag.RowsAffected())
	return erased, nil
}

// eraseOwn erases a conversation if it is the end user's alone, and nobody is at it.
func (s *Store) eraseOwn(ctx context.Context, tenant, user, root string) (erased completions.Erasure, err error) {
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		tree, err := conversations.LockTree(ctx, tx, tenant, root)
		busy := errors.Is(err, conversations.ErrBusy)
		if errors.Is(err, conversations.ErrNotFound) {
			return nil
		}
		if err != nil && !busy {
			return err
		}
		var shared bool
		const others = `SELECT EXISTS (SELECT FROM completions WHERE conversation_id = ANY($1) AND end_user <> $2 AND erased_at IS NULL)`
		if err := tx.QueryRow(ctx, others, tree, user).Scan(&shared); err != nil {
			return fmt.Errorf("looking who else speaks in %s: %w", root, err)
		}
		if shared { // its turns are erased one by one
			return nil
		}
		if busy {
			return conversations.EraseWhenIdle(ctx, tx, root)
		}
		erased, err = eraseTree(ctx, tx, root, tree)
		return err
	})
	return erased, err
}

// eraseLimit is how many completions are erased in one transaction, so that none is long.
const eraseLimit = 200

// eraseBatch erases some of the completions that a condition holds for, and that have ended.
func (s *Store) eraseBatch(ctx context.Context, where string, args ...any) (erased completions.Erasure, err error) {
	query := `SELECT id FROM completions WHERE ` + where + ` AND erased_at IS NULL AND state <> 'open' ORDER BY id LIMIT ` +
		strconv.Itoa(eraseLimit) + ` FOR UPDATE SKIP LOCKED`
	err = postgres.Tx(ctx, s.pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query, args...)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("looking what is to be erased: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		erased.Completions = len(ids)
		return eraseAll(ctx, tx, ids)
	})
	return erased, err
}

// EraseExpired takes away some of what is too old, and what is due to go: a small batch, so that nobody waits for it. Nothing is
// erased when nothing is left to be. What was said in a conversation goes with it, when its last turn is too old.
func (s *Store) EraseExpired(ctx context.Context, expiry completions.Expiry) (erased completions.Erasure, err error) {
	if erased, err = s.eraseBatch(ctx, `content_until < clock_timestamp()`); err != nil || erased != (completions.Erasure{}) {
		return erased, err
	}
	if erased, err = s.eraseFound(ctx, `SELECT id, tenant FROM conversations WHERE erase_at < clock_timestamp() AND active_completion IS NULL LIMIT 50`); err != nil || erased != (completions.Erasure{}) {
		return erased, err
	}
	own := make([]string, 0, len(expiry.Tenants))
	for tenant := range expiry.Tenants {
		own = append(own, tenant)
	}
	slices.Sort(own)
	const alone = ` AND accepted_at < $2 AND NOT EXISTS (SELECT FROM conversations c WHERE c.id = conversation_id)`
	for _, tenant := range own {
		if before := expiry.Tenants[tenant]; !before.IsZero() {
			if erased, err = s.eraseOld(ctx, `tenant = ANY($1)`, []string{tenant}, before, alone); err != nil || erased != (completions.Erasure{}) {
				return erased, err
			}
		}
	}
	if expiry.Before.IsZero() {
		return erased, nil
	}
	return s.eraseOld(ctx, `tenant <> ALL($1)`, own, expiry.Before, alone)
}

func (s *Store) eraseOld(ctx context.Context, whose string, tenants []string, before time.Time, alone string) (erased completions.Erasure, err error) {
	const old = ` AND parent_id IS NULL AND NOT EXISTS (
		WITH RECURSIVE tree AS (
			SELECT r.id, r.active_at, r.active_completion FROM conversations r WHERE r.id = root.id
			UNION ALL
			SELECT f.id, f.active_at, f.active_completion FROM conversations f JOIN tree t ON f.parent_id = t.id)
		SELECT FROM tree WHERE active_at >= $2 OR active_completion IS NOT NULL)`
	query := `SELECT id, tenant FROM conversations root WHERE ` + whose + ` AND active_at < $2` + old + ` ORDER BY active_at LIMIT 50`
	if erased, err = s.eraseFound(ctx, query, tenants, before); err != nil || erased != (completions.Erasure{}) {
		return erased, err
	}
	return s.eraseBatch(ctx, whose+alone, tenants, before)
}

// eraseFound erases the conversations that a query finds. Those that somebody is at are left for another time.
func (s *Store) eraseFound(ctx context.Context, query string, args ...any) (erased completions.Erasure, err error) {
	rows, _ := s.pool.Query(ctx, query, args...)
	type conversation struct{ ID, Tenant string }
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation])
	if err != nil {
		return erased, fmt.Errorf("looking for conversations to erase: %w", err)
	}
	for _, c := range found {
		more, err := s.EraseConversation(ctx, c.Tenant, c.ID)
		if err != nil && !errors.Is(err, conversations.ErrBusy) && !errors.Is(err, conversations.ErrNotFound) {
			return erased, err
		}
		erased.Add(more)
	}
	return erased, nil
}
