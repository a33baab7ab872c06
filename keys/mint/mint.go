// Package mint makes new credentials at providers, and takes former ones away: one small adapter for each way of doing so, behind
// [rotation.Minter].
package mint

import (
	"fmt"

	"github.com/holdfast-dev/holdfast/rotation"
)

// Minter is what each adapter is.
type Minter = rotation.Minter

// Request is what an adapter is asked.
type Request = rotation.Request

// Minted is what it answers.
type Minted = rotation.Minted

// refuse makes an error that is [rotation.ErrRefused], and says why.
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", rotation.ErrRefused, fmt.Sprintf(format, args...))
}
