package media

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/seal"
)

const (
	// maxAddresses bounds what one request may have fetched.
	maxAddresses = 32
	// parallel is how many of them are fetched at once.
	parallel = 4
)

// Library fetches each address once a scope and keeps what it found in PostgreSQL. It is safe for concurrent use.
type Library struct {
	pool    *pgxpool.Pool
	fetcher *Fetcher
	box     *seal.Box
}

// NewLibrary makes a library over the pool.
func NewLibrary(pool *pgxpool.Pool, fetcher *Fetcher) *Library {
	return &Library{pool: pool, fetcher: fetcher}
}

// Sealed is the same library with a box in which it keeps what it found.
func (l *Library) Sealed(box *seal.Box) *Library {
	return &Library{pool: l.pool, fetcher: l.fetcher, box: box}
}

// wanted is an address without its bytes.
type wanted struct {
	kind  llm.PartType
	media *llm.Media
}

// Resolve puts type and bytes beside each address in messages that has none. The messages given are left as they are. Its
// error is an *[llm.Error] if an address is to blame.
func (l *Library) Resolve(ctx context.Context, scope string, messages []llm.Message) ([]llm.Message, error) {
	if !slices.ContainsFunc(messages, func(m llm.Message) bool { return slices.ContainsFunc(m.Parts, named) }) {
		return messages, nil
	}
	messages, list := copied(messages)
	if len(list) > maxAddresses {
		return nil, &llm.Error{
			Kind: llm.KindCallerFault, Provider: "none", Code: "too_many_files", Param: "messages",
			Detail: fmt.Sprintf("more than %d files are named by address", maxAddresses),
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, w := range list {
		group.Go(func() error {
			file, err := l.file(ctx, scope, w.kind, w.media.URL)
			w.media.MIME, w.media.Data = file.MIME, file.Data
			return err
		})
	}
	return messages, group.Wait()
}

// named says whether the part, or a part of its tool result, is known by its address only.
func named(part llm.Part) bool {
	if part.ToolResult != nil {
		return slices.ContainsFunc(part.ToolResult.Parts, named)
	}
	return part.Media != nil && part.Media.URL != "" && len(part.Media.Data) == 0
}

// copied copies what is about to be changed, and lists it.
func copied(messages []llm.Message) ([]llm.Message, []wanted) {
	var list []wanted
	var parts func([]llm.Part) []llm.Part
	parts = func(original []llm.Part) []llm.Part {
		if !slices.ContainsFunc(original, named) {
			return original
		}
		own := slices.Clone(original)
		for i := range own {
			switch part := &own[i]; {
			case !named(*part):
			case part.ToolResult != nil:
				result := *part.ToolResult
				result.Parts = parts(result.Parts)
				part.ToolResult = &result
			default:
				media := *part.Media
				part.Media = &media
				list = append(list, wanted{kind: part.Type, media: &media})
			}
		}
		return own
	}
	own := slices.Clone(messages)
	for i := range own {
		own[i].Parts = parts(own[i].Parts)
	}
	return own, list
}

// file is what the address held when it was first fetched in the scope.
func (l *Library) file(ctx context.Context, scope string, kind llm.PartType, address string) (File, error) {
	sum := sha256.Sum256([]byte(address))
	file, err := l.kept(ctx, scope, sum[:])
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return file, err
	}
	if file, err = l.fetcher.Fetch(ctx, kind, address); err != nil {
		return File{}, err
	}
	kept, err := l.box.Seal(file.Data)
	if err != nil {
		return File{}, fmt.Errorf("sealing a fetched file: %w", err)
	}
	const insert = `INSERT INTO media (scope, url_sha256, mime, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	tag, err := l.pool.Exec(ctx, insert, scope, sum[:], file.MIME, kept)
	if err != nil {
		return File{}, fmt.Errorf("keeping a fetched file: %w", err)
	}
	if tag.RowsAffected() == 0 { // somebody else was first, and what they found counts
		return l.kept(ctx, scope, sum[:])
	}
	return file, nil
}

func (l *Library) kept(ctx context.Context, scope string, sum []byte) (File, error) {
	var file File
	err := l.pool.QueryRow(ctx, `SELECT mime, body FROM media WHERE scope = $1 AND url_sha256 = $2`, scope, sum).Scan(&file.MIME, &file.Data)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return File{}, fmt.Errorf("reading a fetched file: %w", err)
	}
	if err == nil {
		if file.Data, err = l.box.Open(ctx, file.Data); err != nil {
			return File{}, fmt.Errorf("opening a fetched file: %w", err)
		}
	}
	return file, err
}
