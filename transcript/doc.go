// Package transcript keeps what a streamed completion has said so far, as its readers may see it, whoever said it: the first
// attempt, the one that went on where it broke off, or another process after a crash.
//
//	events of an attempt ──▶ Splice ──▶ Log ──▶ readers, each at a place of its own
//	                                     └────▶ pieces, kept every so often
//
// Every event has a place: the count of what was said up to its end, in bytes of text and one for everything else. Places do
// not depend on how an answer was cut into events, so a reader can go on at its place with another process, from a record,
// or after another attempt has taken over. A [Cursor] carries a checksum beside the place, by which a reader whose place lies
// in something that was lost, and then said differently, is told so.
//
// It is pure, but for the lock of a [Feed]: no I/O, no clock, no logger.
package transcript
