package simulator

import (
	crand "crypto/rand"
	"encoding/binary"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// defaultMaxBodyBytes is Anthropic's documented limit on a request, the smallest of the vendors'.
const defaultMaxBodyBytes = 32 << 20

// Options configures a [Simulator]. The zero value accepts any key and any model and answers at once.
type Options struct {
	// Models is what GET models lists, per vendor; a short list of current models where it is empty.
	Models map[Vendor][]string
	// StrictModels answers the vendor's 404 for a model that is not listed.
	StrictModels bool
	// RequireKeys lists the API keys that are accepted, at every vendor. Empty accepts any key, and none. [Simulator.Issue] and
	// [Simulator.Reject] change what is accepted.
	RequireKeys []string
	// AdminKeys lists who may administer all keys at [Simulator.Administration]: OpenAI's admin keys, ids of AWS's access keys,
	// client secrets of Microsoft Entra, e-mail addresses of Google's service accounts. Empty is nobody.
	AdminKeys []string
	// Behaviour is how calls that meet no fault are answered; [Simulator.SetBehaviour] changes it for one vendor.
	Behaviour Behaviour
	// Answer, if set, decides every answer; [Simulator.DefaultAnswer] gives it what would have been said without it.
	// It must be safe for concurrent use. Where a call may be asking to go on with an answer, it is first asked what it would
	// have said then: with [Call.Continues], and the text of the user message before the answer. If what it says to that
	// does not begin like the answer, it is asked about the call as it came.
	Answer func(Call) Answer
	// RecordBodies keeps each request's body in [Simulator.Calls]. Off for benchmarks: up to 10,000 bodies are held.
	RecordBodies bool
	// MaxBodyBytes bounds a request's body; 0 means 32 MiB. A larger one is answered with the vendor's 413.
	MaxBodyBytes int64
	// Seed makes ids repeatable; 0 draws a random one, so that two simulators never mint the same id.
	Seed uint64
	// Now is the clock for timestamps and fault expiry; nil means [time.Now].
	Now func() time.Time
}

// Behaviour is how a healthy vendor answers.
type Behaviour struct {
	// Latency is how long a completion takes. Listing models is immediate.
	Latency time.Duration
	// AnswerBytes is the exact size of a text answer, padded or cut; 0 leaves the echo as it is.
	AnswerBytes int
	// Continuation is what becomes of a request to go on with an answer.
	Continuation Continuation
	// EventDelay is how long a stream pauses between the events that carry parts of the answer.
	EventDelay time.Duration
}

// Simulator plays the vendors. It is safe for concurrent use.
type Simulator struct {
	options Options
	now     func() time.Time
	keys    *keyRing
	admin   *administration
	ids     *idSource
	vendors map[Vendor]*vendorState
	closed  chan struct{}
	once    sync.Once
}

type vendorState struct {
	protocol  protocol
	faults    faultList
	limiter   limiter
	calls     callLog
	behaviour atomic.Pointer[Behaviour]
	models    []string
}

// New makes a simulator. Close it to end the calls that hang.
func New(options Options) *Simulator {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.MaxBodyBytes <= 0 {
		options.MaxBodyBytes = defaultMaxBodyBytes
	}
	if options.Seed == 0 {
		options.Seed = randomSeed()
	}
	s := &Simulator{
		options: options,
		now:     options.Now,
		keys:    newKeyRing(options.RequireKeys),
		ids:     &idSource{seed: options.Seed},
		vendors: make(map[Vendor]*vendorState),
		closed:  make(chan struct{}),
	}
	s.admin = newAdministration(s, options.AdminKeys)
	for vendor, spoken := range protocols() {
		models := slices.Clone(options.Models[vendor])
		if len(models) == 0 {
			models = defaultModels(vendor)
		}
		state := &vendorState{protocol: spoken, models: models}
		state.behaviour.Store(&options.Behaviour)
		s.vendors[vendor] = state
	}
	return s
}

func randomSeed() uint64 {
	var seed [8]byte
	_, _ = crand.Read(seed[:]) // never fails, says its documentation
	return binary.LittleEndian.Uint64(seed[:]) | 1
}

// Close ends the calls that hang or wait: their connections are cut. Calls that come later are still answered.
func (s *Simulator) Close() { s.once.Do(func() { close(s.closed) }) }

// Handler speaks the vendor's protocol. For an unknown vendor it answers 404.
func (s *Simulator) Handler(vendor Vendor) http.Handler {
	state, ok := s.vendors[vendor]
	if !ok {
		return http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, vendor, state) })
}

// CombinedHandler serves on one port the vendors whose paths differ. GET /v1/models is Anthropic's when the request carries
// an anthropic-version header and OpenAI's otherwise. Mistral's paths are OpenAI's: it is reached through Handler only.
func (s *Simulator) CombinedHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Handler(vendorOf(r)).ServeHTTP(w, r)
	})
}

// SetBehaviour changes how one vendor answers the calls that meet no fault, from the next call on.
func (s *Simulator) SetBehaviour(vendor Vendor, behaviour Behaviour) {
	if state, ok := s.vendors[vendor]; ok {
		state.behaviour.Store(&behaviour)
	}
}

// SetFault adds a fault behind those that the vendor has, and returns its id: the fault's own, or a new one. A fault with
// the id of an existing one replaces it, in its place. See [Fault.Validate] for what a fault must satisfy; what breaks it
// is read as absent here.
func (s *Simulator) SetFault(vendor Vendor, fault Fault) string {
	if fault.ID == "" {
		fault.ID = s.ids.fault()
	}
	if fault.For > 0 {
		fault.Until = s.now().Add(fault.For)
	}
	if state, ok := s.vendors[vendor]; ok {
		state.faults.set(fault)
	}
	return fault.ID
}

// ClearFault removes the vendor's fault with that id and says whether there was one.
func (s *Simulator) ClearFault(vendor Vendor, id string) bool {
	state, ok := s.vendors[vendor]
	return ok && state.faults.clear(id)
}

// ClearFaults removes all faults of the vendor; of every vendor if it is "". Calls that hang already go on hanging.
func (s *Simulator) ClearFaults(vendor Vendor) {
	for name, state := range s.vendors {
		if vendor == "" || vendor == name {
			state.faults.clear("")
		}
	}
}

// Faults lists the faults in force, per vendor, in the order they are tried. Faults that are used up or over are left out.
func (s *Simulator) Faults() map[Vendor][]Fault {
	now := s.now()
	faults := make(map[Vendor][]Fault, len(s.vendors))
	for vendor, state := range s.vendors {
		faults[vendor] = state.faults.list(now)
	}
	return faults
}
