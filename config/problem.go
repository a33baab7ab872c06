package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing to say about one line of the file. It never repeats a value that could be a secret.
type Problem struct {
	Line int
	// Path leads to the key, such as model_list[0].litellm_params.weight; empty for the file as a whole.
	Path    string
	Message string
}

func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%d: %s", p.Line, p.Message)
	}
	return fmt.Sprintf("%d: %s: %s", p.Line, p.Path, p.Message)
}

// Error is everything that is wrong with a file.
type Error struct {
	File string
	// Problems are in the order of their lines; never empty.
	Problems []Problem
}

// Error prints one problem a line, as file:line: path: message, the form that editors jump to.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, problem := range e.Problems {
		lines = append(lines, e.File+":"+problem.String())
	}
	return strings.Join(lines, "\n")
}

// sorted orders problems by line, and within a line as they were found. A problem that an alias leads to twice is kept once.
func sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return slices.Compact(problems)
}
