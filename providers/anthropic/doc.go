// Package anthropic speaks Anthropic's Messages API, version 2023-06-01.
//
// The Messages API is stricter than Chat Completions: turns alternate and begin with the user, system text stands apart,
// all results of a turn come first in one user message, and max_tokens is required. Rendering sees to all of it. Seed
// and penalties do not exist here and are left out with a warning, as are the sampling parameters for models that no
// longer take them. Not yet spoken: images, documents, thinking, prompt caching and server tools. Thinking blocks in an
// answer are dropped.
//
// Documentation: https://platform.claude.com/docs/en/api/messages and https://platform.claude.com/docs/en/api/errors.
package anthropic
