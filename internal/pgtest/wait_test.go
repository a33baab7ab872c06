package pgtest_test

import "time"

const (
	waitFor = 10 * time.Second
	tick    = 50 * time.Millisecond
)
