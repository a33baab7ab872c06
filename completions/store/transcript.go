package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-dev/holdfast/completions"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/transcript"
)

// KeepTranscripts writes pieces of the transcripts of many completions in one statement. Those of an epoch that is over, or of
// a completion that has its outcome, are left out: somebody else goes on with them, or nobody.
func (s *Store) KeepTranscripts(ctx context.Context, checkpoints []completions.Checkpoint) error {
	var ids, bodies []string
	var epochs, numbers []int
	var from []int64
	var whole []bool
	for _, c := range checkpoints {
		body, err := s.box.Marshal(c.Piece.Events)
		if err != nil {
			return fmt.Errorf("encoding a piece of %s: %w", c.Fence.ID, err)
		}
		ids, bodies, whole = append(ids, c.Fence.ID), append(bodies, string(body)), append(whole, c.Whole)
		epochs, numbers, from = append(epochs, c.Fence.Epoch), append(numbers, c.Number), append(from, c.Piece.From)
	}
	const insert = `INSERT INTO completion_transcripts (completion_id, epoch, attempt, from_place, whole, events)
		SELECT p.id, p.epoch, p.attempt, p.from_place, p.whole, p.events::json
		FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::bool[], $6::text[]) AS p (id, epoch, attempt, from_place, whole, events)
		JOIN completions c ON c.id = p.id AND c.epoch = p.epoch AND c.state = 'open'
		ON CONFLICT (completion_id, epoch, attempt, from_place, whole) DO UPDATE SET events = excluded.events`
	if _, err := s.pool.Exec(ctx, insert, ids, epochs, numbers, from, whole, bodies); err != nil {
		return fmt.Errorf("keeping %d pieces of transcripts: %w", len(ids), err)
	}
	return nil
}

// Transcript puts together what is kept of a completion's transcript; it is empty if nothing is.
func (s *Store) Transcript(ctx context.Context, id string) (*transcript.Log, error) {
	const query = `SELECT from_place, events FROM completion_transcripts WHERE completion_id = $1
		ORDER BY whole, epoch, attempt, from_place`
	rows, _ := s.pool.Query(ctx, query, id)
	pieces, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (transcript.Piece, error) {
		var piece transcript.Piece
		var events []byte
		if err := row.Scan(&piece.From, &events); err != nil {
			return piece, err
		}
		return piece, s.box.Unmarshal(ctx, events, &piece.Events)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the transcript of %s: %w", id, err)
	}
	return transcript.From(pieces), nil
}

// Told is the transcript of an answer that is on record: what is kept of the way in which it was told, or else what can be
// seen from the answer.
func (s *Store) Told(ctx context.Context, id string, answer llm.Response) (*transcript.Log, error) {
	log, err := s.Transcript(ctx, id)
	if err != nil || log.End().At > 0 {
		return log, err
	}
	return transcript.Of(answer), nil
}

// Driver says who drives a completion. The error is [completions.ErrNotFound] if there is none of this id.
func (s *Store) Driver(ctx context.Context, id string) (completions.Driver, error) {
	const query = `SELECT c.state, c.instance_id, coalesce(i.address, '') FROM completions c
		LEFT JOIN instances i ON i.id = c.instance_id WHERE c.id = $1`
	var driver completions.Driver
	err := s.pool.QueryRow(ctx, query, id).Scan(&driver.State, &driver.InstanceID, &driver.Address)
	if errors.Is(err, pgx.ErrNoRows) {
		return driver, completions.ErrNotFound
	}
	if err != nil {
		return driver, fmt.Errorf("looking who drives %s: %w", id, err)
	}
	return driver, nil
}

// PeerSecret is what the tokens are derived from by which processes prove that they belong together.
func (s *Store) PeerSecret(ctx context.Context) (llm.Secret, error) {
	var secret []byte
	if err := s.pool.QueryRow(ctx, `SELECT secret FROM peer_secret`).Scan(&secret); err != nil {
		return "", fmt.Errorf("reading the secret of the processes: %w", err)
	}
	return llm.Secret(secret), nil
}
