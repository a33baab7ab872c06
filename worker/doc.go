// Package worker runs the completion workflows and their activities in a process, and keeps the process's place among the
// living:
//
//	Lease     one row a process, renewed every second; who stops renewing is judged dead by the others
//	Redriver  takes over what dead processes held: the same workflow id, a new epoch, at bounded speed
//	Worker    the Temporal workers of the two task queues
package worker
