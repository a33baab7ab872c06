package anthropic

import (
	"slices"
	"strconv"
	"time"
)

// Model is a route, as Anthropic's SDKs list models (https://platform.claude.com/docs/en/api/models-list).
type Model struct {
	Type        string    `json:"type"`
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name"`
	CreatedAt   time.Time `json:"created_at"`
}

// ModelList is a page of them.
type ModelList struct {
	Data    []Model `json:"data"`
	HasMore bool    `json:"has_more"`
	// FirstID and LastID are null where the page is empty.
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
}

// Page is the part of a list that is asked for: as many as Limit, behind AfterID or before BeforeID.
type Page struct {
	Limit             int
	AfterID, BeforeID string
}

// The limits of a page, as Anthropic has them.
const (
	defaultLimit = 20
	maxLimit     = 1000
)

// DecodePage reads the parameters limit, after_id and before_id of a query; those that are empty were not given. An error is a
// *[dialect.InvalidError].
func DecodePage(limit, afterID, beforeID string) (Page, error) {
	page := Page{Limit: defaultLimit, AfterID: afterID, BeforeID: beforeID}
	if limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > maxLimit {
			return Page{}, invalid("limit", codeValue, "Input should be between 1 and %d.", maxLimit)
		}
		page.Limit = n
	}
	if afterID != "" && beforeID != "" {
		return Page{}, invalid("before_id", codeValue, "Give one of after_id and before_id.")
	}
	return page, nil
}

// EncodeModel makes the object of one model.
func EncodeModel(name string, created time.Time) Model {
	return Model{Type: "model", ID: name, DisplayName: name, CreatedAt: created.UTC().Truncate(time.Second)}
}

// EncodeModels makes a page of the list of names. HasMore says whether there are more in the direction that was asked for. A page
// beside a name that is not there is empty: whoever reads on from it would else read in a circle.
func EncodeModels(names []string, created time.Time, page Page) ModelList {
	limit := page.Limit
	if limit < 1 {
		limit = defaultLimit
	}
	from, to := 0, len(names)
	var more bool
	switch {
	case page.AfterID != "":
		if from = slices.Index(names, page.AfterID) + 1; from == 0 {
			from = len(names)
		}
		to = min(from+limit, len(names))
		more = to < len(names)
	case page.BeforeID != "":
		to = max(slices.Index(names, page.BeforeID), 0)
		from = max(to-limit, 0)
		more = from > 0
	default:
		to = min(limit, to)
		more = to < len(names)
	}
	list := ModelList{Data: []Model{}, HasMore: more}
	for _, name := range names[from:to] {
		list.Data = append(list.Data, EncodeModel(name, created))
	}
	if n := len(list.Data); n > 0 {
		list.FirstID, list.LastID = &list.Data[0].ID, &list.Data[n-1].ID
	}
	return list
}
