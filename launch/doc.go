// Package launch starts a completion's workflow: the same way for a request just accepted and for one that is driven again.
package launch
