package simulator

// AdminFault is one way in which an administration misbehaves. The first that was set and fits a call is used.
type AdminFault struct {
	// API and Operation say which calls meet the fault; empty is any.
	API       AdminAPI
	Operation AdminOperation
	// Count is how many calls meet the fault before it is used up; 0 is no limit.
	Count int
	// After has the call carried out first: what was made is there, and nobody is told. That is what a process sees that died
	// between a vendor's work and its own.
	After bool
	// Status is that of the error answered; 0 cuts the connection.
	Status int
	// Hang never answers: the call ends when the client leaves or the simulator is closed.
	Hang bool
}

// SetAdminFault adds a fault behind those that there are.
func (s *Simulator) SetAdminFault(fault AdminFault) {
	s.admin.mu.Lock()
	defer s.admin.mu.Unlock()
	s.admin.faults = append(s.admin.faults, fault)
}

// ClearAdminFaults removes all faults of the administrations. Calls that hang already go on hanging.
func (s *Simulator) ClearAdminFaults() {
	s.admin.mu.Lock()
	defer s.admin.mu.Unlock()
	s.admin.faults = nil
}

// fault gives the fault that a call meets, and counts it; nil for none. The lock is held.
func (a *administration) fault(call AdminCall) *AdminFault {
	for i, fault := range a.faults {
		if fault.API != "" && fault.API != call.API || fault.Operation != "" && fault.Operation != call.Operation {
			continue
		}
		switch fault.Count {
		case 0:
		case 1:
			a.faults = append(a.faults[:i:i], a.faults[i+1:]...)
		default:
			a.faults[i].Count--
		}
		return &fault
	}
	return nil
}
