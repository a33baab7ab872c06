package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// maxControlBody bounds what the control API reads.
const maxControlBody = 64 << 10

type (
	faultsReply struct {
		Faults []Fault `json:"faults"`
	}
	allFaultsReply struct {
		Faults map[Vendor][]Fault `json:"faults"`
	}
	faultSetReply struct {
		ID string `json:"id"`
	}
	callsReply struct {
		Calls []Call `json:"calls"`
	}
	limitsReply struct {
		Limits map[Vendor]LimitState `json:"limits"`
	}
	errorReply struct {
		Error string `json:"error"`
	}
)

// ControlHandler scripts the simulator over HTTP, in JSON:
//
//	GET    /faults               the faults of every vendor
//	DELETE /faults               clear them
//	GET    /faults/{vendor}      the vendor's faults
//	POST   /faults/{vendor}      add a fault: {"status":503,"for":"60s"}, {"stream":{"kind":"cut","after":2}}; answers its id
//	DELETE /faults/{vendor}      clear the vendor's faults
//	DELETE /faults/{vendor}/{id} clear one
//	GET    /limits               the limit of every vendor, and how many calls it has let through and refused
//	PUT    /limits/{vendor}      set a limit: {"requests_per_minute":60,"tokens_per_minute":10000}; 0 is none
//	DELETE /limits/{vendor}      take it away
//	GET    /calls/{vendor}       the vendor's last calls, oldest first; ?limit=N for the last N
//
// It does not authenticate: mount it behind what does, with the prefix stripped, or listen on a loopback address. What is sent
// must be application/json, which keeps web pages in a browser on the same machine from sending one.
func (s *Simulator) ControlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, allFaultsReply{Faults: s.Faults()})
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults("")
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /faults/{vendor}", forVendor(func(w http.ResponseWriter, _ *http.Request, vendor Vendor) {
		writeJSON(w, http.StatusOK, faultsReply{Faults: s.Faults()[vendor]})
	}))
	mux.HandleFunc("POST /faults/{vendor}", forVendor(s.postFault))
	mux.HandleFunc("DELETE /faults/{vendor}", forVendor(func(w http.ResponseWriter, _ *http.Request, vendor Vendor) {
		s.ClearFaults(vendor)
		w.WriteHeader(http.StatusNoContent)
	}))
	mux.HandleFunc("DELETE /faults/{vendor}/{id}", forVendor(func(w http.ResponseWriter, r *http.Request, vendor Vendor) {
		if !s.ClearFault(vendor, r.PathValue("id")) {
			writeJSON(w, http.StatusNotFound, errorReply{Error: "no such fault"})
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	mux.HandleFunc("GET /limits", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, limitsReply{Limits: s.Limits()})
	})
	mux.HandleFunc("PUT /limits/{vendor}", forVendor(s.putLimit))
	mux.HandleFunc("DELETE /limits/{vendor}", forVendor(func(w http.ResponseWriter, _ *http.Request, vendor Vendor) {
		s.SetLimit(vendor, Limit{})
		w.WriteHeader(http.StatusNoContent)
	}))
	mux.HandleFunc("GET /calls/{vendor}", forVendor(s.getCalls))
	return mux
}

func forVendor(handle func(http.ResponseWriter, *http.Request, Vendor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		vendor, err := ParseVendor(r.PathValue("vendor"))
		if err != nil {
			writeJSON(w, http.StatusNotFound, errorReply{Error: err.Error()})
			return
		}
		handle(w, r, vendor)
	}
}

func (s *Simulator) postFault(w http.ResponseWriter, r *http.Request, vendor Vendor) {
	var fault Fault
	if receive(w, r, &fault) {
		writeJSON(w, http.StatusCreated, faultSetReply{ID: s.SetFault(vendor, fault)})
	}
}

func (s *Simulator) putLimit(w http.ResponseWriter, r *http.Request, vendor Vendor) {
	var limit Limit
	if receive(w, r, &limit) {
		s.SetLimit(vendor, limit)
		w.WriteHeader(http.StatusNoContent)
	}
}

// receive reads and checks what was sent, or answers what is wrong with it. An unknown member is an error: a misspelt one would
// say something else.
func receive(w http.ResponseWriter, r *http.Request, into interface{ Validate() error }) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		writeJSON(w, http.StatusUnsupportedMediaType, errorReply{Error: "send it as Content-Type: application/json"})
		return false
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		err = into.Validate()
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, errorReply{Error: err.Error()})
		return false
	}
	return true
}

func (s *Simulator) getCalls(w http.ResponseWriter, r *http.Request, vendor Vendor) {
	calls := s.Calls(vendor)
	if text := r.URL.Query().Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 0 {
			writeJSON(w, http.StatusBadRequest, errorReply{Error: "limit is not a number of calls"})
			return
		}
		calls = calls[max(0, len(calls)-limit):]
	}
	writeJSON(w, http.StatusOK, callsReply{Calls: calls})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(body), '\n')) // a client that left is its own affair
}
