package mint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/holdfast-dev/holdfast/llm"
)

// What an operator's own minter is asked to do.
const (
	actionMint    = "mint"
	actionAbandon = "abandon"
	actionRevoke  = "revoke"
)

// maxReply bounds the answer of an operator's own minter, and what is kept of it.
const maxReply = 64 << 10

// question is what an operator's webhook or program is asked; docs/minters.md describes it.
type question struct {
	Action   string `json:"action"`
	Rotation string `json:"rotation"`
	Provider string `json:"provider"`
	Name     string `json:"name"`
	// Handle is that of the key to be revoked, or else of the one in use; empty if that is not known.
	Handle string `json:"handle"`
	// Admin is the admin credential, for a program only: a webhook proves by it who asks.
	Admin string `json:"admin,omitempty"`
}

func newQuestion(action string, request Request, handle string) (question, error) {
	if err := demand(request, false); err != nil {
		return question{}, err
	}
	if action == actionRevoke && handle == "" {
		return question{}, refuse("the handle is missing: revoke the key by hand")
	}
	return question{Action: action, Rotation: request.ID, Provider: request.Provider, Name: request.Name, Handle: handle}, nil
}

// encode writes a question.
func (q question) encode() ([]byte, error) {
	text, err := json.Marshal(q)
	if err != nil { // strings always encode
		return nil, errors.New("the question cannot be written")
	}
	return text, nil
}

// mintedBy reads the answer to the question for a new key. The key is a text, or an object for a credential that is one. A member
// that is not known is an error: a misspelt one would say something else.
func mintedBy(operation string, answer []byte, request Request) (Minted, error) {
	var told struct {
		Key       json.RawMessage `json:"key"`
		Handle    string          `json:"handle"`
		ExpiresAt *time.Time      `json:"expires_at"`
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&told) != nil || decoder.Decode(&struct{}{}) != io.EOF {
		return Minted{}, refuse("%s: the answer is no JSON object of key, handle and expires_at", operation)
	}
	var key string
	if json.Unmarshal(told.Key, &key) != nil && bytes.HasPrefix(told.Key, []byte("{")) {
		key = string(told.Key)
	}
	switch {
	case key == "":
		return Minted{}, refuse("%s: the answer holds no key", operation)
	case told.Handle == "" || len(told.Handle) > 512:
		return Minted{}, refuse("%s: the answer holds no handle by which the key can be revoked", operation)
	case equal(key, request.Current):
		return Minted{}, refuse("%s: the answer holds the key that is in use", operation)
	}
	minted := Minted{Key: llm.Secret(key), Handle: told.Handle, Former: request.Handle}
	if told.ExpiresAt != nil {
		minted.ExpiresAt = *told.ExpiresAt
	}
	return minted, nil
}
