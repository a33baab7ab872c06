package wire

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWait bounds what is believed of a vendor's wish to wait. Hours and days are real (spend limits), years are not.
const maxWait = 366 * 24 * time.Hour

// RetryAfter is how long the headers ask to wait: retry-after-ms (OpenAI, Azure), else Retry-After in seconds or as a
// date (RFC 9110, section 10.2.3). It is 0 when they do not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if wait, ok := scaled(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return wait
	}
	value := strings.TrimSpace(h.Get("Retry-After"))
	if wait, ok := scaled(value, time.Second); ok {
		return wait
	}
	if at, err := http.ParseTime(value); err == nil {
		return Until(at, now)
	}
	return 0
}

// Until is the time from now to at, within what is believable.
func Until(at, now time.Time) time.Duration { return Believable(at.Sub(now)) }

// Believable is wait, but not below zero nor over a year.
func Believable(wait time.Duration) time.Duration { return min(max(wait, 0), maxWait) }

// scaled reads a number of units.
func scaled(text string, unit time.Duration) (time.Duration, bool) {
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(number) || number < 0 {
		return 0, false
	}
	if number > float64(maxWait/unit) {
		return maxWait, true
	}
	return time.Duration(number * float64(unit)), true
}
