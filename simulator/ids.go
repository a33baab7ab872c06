package simulator

import (
	"strconv"
	"sync/atomic"
)

const (
	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	lowerBase36  = "0123456789abcdefghijklmnopqrstuvwxyz"
	hexDigits    = "0123456789abcdef"
	idGoldenStep = 0x9E3779B97F4A7C15 // 2^64 / golden ratio, the increment of SplitMix64
)

// idSource mints ids that look like the vendors' and are unique within one seed. It is SplitMix64 over a counter: no lock
// on the path of a call, and repeatable under a fixed seed.
type idSource struct {
	seed    uint64
	counter atomic.Uint64
	faults  atomic.Uint64
}

// mint gives prefix and n characters of the alphabet.
func (s *idSource) mint(prefix, alphabet string, n int) string {
	state := s.seed + s.counter.Add(1)*0xD1342543DE82EF95
	id := make([]byte, 0, len(prefix)+n)
	id = append(id, prefix...)
	var word uint64
	for i := range n {
		if i%8 == 0 {
			state += idGoldenStep
			word = mix(state)
		}
		id = append(id, alphabet[int(word&0xff)%len(alphabet)])
		word >>= 8
	}
	return string(id)
}

func mix(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// fault numbers the faults: short, because people type it.
func (s *idSource) fault() string { return "fault-" + strconv.FormatUint(s.faults.Add(1), 10) }
