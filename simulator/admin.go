package simulator

import (
	"crypto/sha256"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxAdminBody bounds what an administration reads of a request.
const maxAdminBody = 64 << 10

// seedAge is how old a credential is when [Simulator.Administer] makes it: as if it had been in use for a month.
const seedAge = 30 * 24 * time.Hour

// AdminAPI names the way in which a vendor has credentials administered.
type AdminAPI string

// The administrations.
const (
	// AdminOpenAI makes service accounts of a project (platform.openai.com/docs/api-reference/project-service-accounts).
	AdminOpenAI AdminAPI = "openai"
	// AdminAWS makes access keys of an IAM user (docs.aws.amazon.com/IAM/latest/APIReference).
	AdminAWS AdminAPI = "aws_iam"
	// AdminAzure makes the keys of a Cognitive Services account anew
	// (learn.microsoft.com/rest/api/aiservices/accountmanagement/accounts).
	AdminAzure AdminAPI = "azure"
	// AdminGCP makes keys of a service account (cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys).
	AdminGCP AdminAPI = "gcp"
)

// AdminOperation is what a call to an administration asks for.
type AdminOperation string

// The operations.
const (
	AdminCreate AdminOperation = "create" // a credential; at Azure: make one of the two anew
	AdminList   AdminOperation = "list"
	AdminDelete AdminOperation = "delete"
	AdminToken  AdminOperation = "token" // of Microsoft Entra or Google, for what follows
)

// AdminCall is a request that reached an administration and asked for something that there is.
type AdminCall struct {
	Time      time.Time
	API       AdminAPI
	Operation AdminOperation
	// Owner is whose credentials the call concerns: a project, a user, a resource or a service account; empty for a token.
	Owner string
	// Handle is the credential that was made or deleted; empty if none was.
	Handle string
	// Status is that of the answer, had it arrived.
	Status int
	// Fault says that the answer was lost, or another one.
	Fault bool
}

// Credential is one that a simulated vendor knows.
type Credential struct {
	// Key is the secret in the form that clients of the vendor keep it: a key, or a JSON object.
	Key string
	// Handle is what the vendor calls it.
	Handle string
}

// administration is the state behind [Simulator.Administration].
type administration struct {
	sim    *Simulator
	admins [][sha256.Size]byte

	mu     sync.Mutex
	faults []AdminFault
	calls  []AdminCall
	openAI openAIAdmin
	aws    awsAdmin
	azure  azureAdmin
	gcp    gcpAdmin
}

func newAdministration(sim *Simulator, admins []string) *administration {
	a := &administration{
		sim:    sim,
		openAI: openAIAdmin{},
		aws:    awsAdmin{},
		azure:  azureAdmin{resources: map[string]*azureResource{}, tokens: map[string]bool{}},
		gcp:    gcpAdmin{accounts: map[string][]*gcpKey{}, tokens: map[string]string{}},
	}
	for _, key := range admins {
		a.admins = append(a.admins, sha256.Sum256([]byte(key)))
	}
	return a
}

// mayAll reports whether somebody may administer everything.
func (a *administration) mayAll(who string) bool {
	return who != "" && listed(a.admins, sha256.Sum256([]byte(who)))
}

// Administer makes an owner of credentials and one that is in use, a month old: an OpenAI project, an IAM user, an Azure resource
// (by its id) or a Google service account (projects/…/serviceAccounts/…). Every call of it makes one more, but that of Azure gives
// the resource's first key again. baseURL is where [Simulator.Administration] is served, which Google's credentials say.
func (s *Simulator) Administer(api AdminAPI, owner, baseURL string) Credential {
	a := s.admin
	a.mu.Lock()
	defer a.mu.Unlock()
	made := s.now().Add(-seedAge)
	switch api {
	case AdminOpenAI:
		account := a.newServiceAccount(owner, "seeded", made)
		return Credential{Key: account.key, Handle: account.ID}
	case AdminAWS:
		key := a.newAccessKey(owner, made)
		return Credential{Handle: key.id, Key: string(encode(map[string]string{"access_key_id": key.id, "secret_access_key": key.secret}))}
	case AdminAzure:
		return Credential{Key: a.resource(owner).keys[0], Handle: "Key1"}
	case AdminGCP:
		key := a.newGoogleKey(owner, made)
		return Credential{Key: string(a.googleFile(key, baseURL)), Handle: key.name}
	default:
		return Credential{}
	}
}

// Handles lists what a vendor calls the credentials that an owner has now, the oldest first.
func (s *Simulator) Handles(api AdminAPI, owner string) []string {
	a := s.admin
	a.mu.Lock()
	defer a.mu.Unlock()
	var handles []string
	switch api {
	case AdminOpenAI:
		for _, account := range a.openAI[owner] {
			handles = append(handles, account.ID)
		}
	case AdminAWS:
		for _, key := range a.aws[owner] {
			handles = append(handles, key.id)
		}
	case AdminAzure:
		handles = []string{"Key1", "Key2"}
	case AdminGCP:
		for _, key := range a.gcp.accounts[owner] {
			handles = append(handles, key.name)
		}
	}
	return handles
}

// AdminCalls lists the calls to the administrations, oldest first.
func (s *Simulator) AdminCalls() []AdminCall {
	s.admin.mu.Lock()
	defer s.admin.mu.Unlock()
	return slices.Clone(s.admin.calls)
}

// adminAsked is a request on its way through an administration.
type adminAsked struct {
	r    *http.Request
	body []byte
	call AdminCall
	// run carries it out, while the administration's lock is held.
	run func(*adminAsked) adminReply
}

// adminReply is an answer.
type adminReply struct {
	status int
	body   []byte
	xml    bool
}

func jsonReply(status int, body any) adminReply {
	return adminReply{status: status, body: encode(body)}
}

// Administration serves what vendors have for making and deleting credentials, all on one port: OpenAI's organization API, AWS
// IAM, Azure's resource manager with Microsoft Entra, and Google's IAM with its token endpoint. A credential that is made there is
// accepted by the vendors from then on, one that is deleted no longer. [Options.AdminKeys] says who may; an IAM user and a service
// account may also administer themselves.
func (s *Simulator) Administration() http.Handler {
	return http.HandlerFunc(s.admin.serve)
}

func (a *administration) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	asked := &adminAsked{r: r, body: body}
	if !a.route(asked) {
		writeAdmin(w, jsonReply(http.StatusNotFound, map[string]any{"error": map[string]any{"code": 404, "message": "Not found."}}))
		return
	}
	reply, fault := a.carryOut(asked)
	switch {
	case fault == nil:
		writeAdmin(w, reply)
	case fault.Hang:
		select {
		case <-r.Context().Done():
		case <-a.sim.closed:
		}
		panic(http.ErrAbortHandler)
	case fault.Status == 0:
		panic(http.ErrAbortHandler) // cuts the connection
	default:
		writeAdmin(w, jsonReply(fault.Status, map[string]any{"error": map[string]any{"message": "scripted"}}))
	}
}

// route finds out what is asked for; false if there is no such thing.
func (a *administration) route(asked *adminAsked) bool {
	for _, routed := range []func(*adminAsked) bool{a.routeOpenAI, a.routeAWS, a.routeAzure, a.routeGCP} {
		if routed(asked) {
			return true
		}
	}
	return false
}

// carryOut does what is asked, unless a fault comes before.
func (a *administration) carryOut(asked *adminAsked) (adminReply, *AdminFault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked.call.Time = a.sim.now()
	fault := a.fault(asked.call)
	var reply adminReply
	if fault == nil || fault.After {
		reply = asked.run(asked)
	}
	asked.call.Status, asked.call.Fault = reply.status, fault != nil
	if len(a.calls) == maxRecordedCalls {
		a.calls = slices.Delete(a.calls, 0, 1)
	}
	a.calls = append(a.calls, asked.call)
	return reply, fault
}

func writeAdmin(w http.ResponseWriter, reply adminReply) {
	w.Header().Set("Content-Type", "application/json")
	if reply.xml {
		w.Header().Set("Content-Type", "text/xml")
	}
	w.WriteHeader(reply.status)
	_, _ = w.Write(reply.body) // a client that left is its own affair
}

// strict reads a JSON object that has these members and no others; it names the first that is another, or "" for a body that is none.
func strict(body []byte, known ...string) (members fields, unknown string, ok bool) {
	if members, ok = decodeFields(body); !ok {
		return nil, "", false
	}
	unknown, found := members.unknown(func(name string) bool { return slices.Contains(known, name) })
	return members, unknown, !found
}
