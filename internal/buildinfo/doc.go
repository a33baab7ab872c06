// Package buildinfo says which build is running.
package buildinfo
