package mint_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/keys/mint"
	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
	"github.com/holdfast-dev/holdfast/simulator"
)

func TestAMintedKeyIsAcceptedAndARevokedOneIsNot(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		minter, request := v.open(t, w, 0), v.begin(t, w)
		minted, err := minter.Mint(t.Context(), request)
		require.NoError(t, err)
		require.True(t, v.accepted(t, w, minted.Key))
		require.True(t, v.accepted(t, w, request.Current), "the former key is in use until it is revoked")
		require.Equal(t, request.Handle, minted.Former)
		require.NotEqual(t, request.Handle, minted.Handle)
		require.True(t, minted.ExpiresAt.IsZero())

		former := request.Current
		request.Current, request.Handle = minted.Key, minted.Handle
		require.NoError(t, minter.Revoke(t.Context(), request, minted.Former))
		require.False(t, v.accepted(t, w, former))
		require.True(t, v.accepted(t, w, minted.Key))
		require.NoError(t, minter.Revoke(t.Context(), request, minted.Former), "it is gone, which is what was asked for")
		require.True(t, v.accepted(t, w, minted.Key))
	})
}

func TestTheHandleOfTheKeyInUseIsFoundOut(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		request := v.begin(t, w)
		want := request.Handle
		if v.kind == "openai" {
			want = "" // its keys say nothing of their accounts
		}
		request.Handle = ""
		minted, err := v.open(t, w, 0).Mint(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, want, minted.Former)
	})
}

func TestAMintWhoseAnswerWasLostLeavesOneCredential(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.AdminFault{
		"cut":    {},
		"failed": {Status: http.StatusInternalServerError},
		"hung":   {Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachVendor(t, func(t *testing.T, w *world, v vendor) {
				timeout := time.Duration(0)
				if fault.Hang {
					timeout = 500 * time.Millisecond
				}
				minter, request := v.open(t, w, timeout), v.begin(t, w)
				before := w.sim.Handles(v.api, v.owner)
				lost := fault
				lost.API, lost.Operation, lost.Count, lost.After = v.api, simulator.AdminCreate, 1, true
				w.sim.SetAdminFault(lost)
				_, err := minter.Mint(t.Context(), request)
				require.Error(t, err)
				require.NotErrorIs(t, err, rotation.ErrRefused, "another try mends it")
				minted, err := v.open(t, w, 0).Mint(t.Context(), request)
				require.NoError(t, err)
				if v.kind != "azure" { // which has two at all times
					require.Equal(t, append(before, minted.Handle), w.sim.Handles(v.api, v.owner))
				}
				require.True(t, v.accepted(t, w, minted.Key))
				require.True(t, v.accepted(t, w, request.Current))
			})
		})
	}
}

func TestAbandonTakesAwayWhatWasMadeAndNothingElse(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		minter, request := v.open(t, w, 0), v.begin(t, w)
		if v.kind == "openai" || v.kind == "gcp" { // another's credential
			w.sim.Administer(v.api, v.owner, w.url)
		}
		before := w.sim.Handles(v.api, v.owner)
		require.NoError(t, minter.Abandon(t.Context(), request), "nothing was made")
		require.Equal(t, before, w.sim.Handles(v.api, v.owner))

		minted, err := minter.Mint(t.Context(), request)
		require.NoError(t, err)
		require.NoError(t, minter.Abandon(t.Context(), request))
		require.Equal(t, before, w.sim.Handles(v.api, v.owner))
		require.False(t, v.accepted(t, w, minted.Key))
		require.True(t, v.accepted(t, w, request.Current))
		require.NoError(t, minter.Abandon(t.Context(), request))
		require.True(t, v.accepted(t, w, request.Current))
	})
}

func TestTheKeyInUseIsNeverAbandonedHoweverYoungItIs(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		minter, request := v.open(t, w, 0), v.begin(t, w)
		minted, err := minter.Mint(t.Context(), request)
		require.NoError(t, err)
		// The rotation has put its key in use, and is told to give up all the same.
		request.Current, request.Handle = minted.Key, minted.Handle
		require.NoError(t, minter.Abandon(t.Context(), request))
		require.True(t, v.accepted(t, w, minted.Key))
	})
}

func TestARefusedAdminCredentialIsRefused(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		minter, request := v.open(t, w, 0), v.begin(t, w)
		before := w.sim.Handles(v.api, v.owner)
		for _, admin := range []llm.Secret{v.admin(t, w, false), "no credential", `{"secret":"unknown-form-1234567890"}`, "with\nbreak"} {
			request.Admin = admin
			_, err := minter.Mint(t.Context(), request)
			require.ErrorIs(t, err, rotation.ErrRefused)
			requireNoSecret(t, err, request)
			require.ErrorIs(t, minter.Abandon(t.Context(), request), rotation.ErrRefused)
			require.ErrorIs(t, minter.Revoke(t.Context(), request, request.Handle), rotation.ErrRefused)
		}
		require.Equal(t, before, w.sim.Handles(v.api, v.owner))
		require.True(t, v.accepted(t, w, request.Current))
	})
}

func TestWithoutAnAdminTheKeyInUseMakesItsSuccessor(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		minter, request := v.open(t, w, 0), v.begin(t, w)
		request.Admin = ""
		minted, err := minter.Mint(t.Context(), request)
		if mint.NeedsAdmin(v.kind) {
			require.ErrorIs(t, err, rotation.ErrRefused)
			require.ErrorContains(t, err, "admin credential is missing")
			return
		}
		require.NoError(t, err)
		former := request.Current
		request.Current = minted.Key
		require.NoError(t, minter.Revoke(t.Context(), request, minted.Former), "the successor may do the same")
		require.False(t, v.accepted(t, w, former))
	})
}

func TestAKeyOfAnotherOwnersIsNotRotated(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		if v.kind == "openai" {
			t.Skip("its keys say nothing of their project")
		}
		minter, request := v.open(t, w, 0), v.begin(t, w)
		other := w.sim.Administer(v.api, v.owner+"x", w.url)
		request.Current = llm.Secret(other.Key)
		if v.kind == "gcp" { // the key names its owner, so that it can only be gone
			require.NoError(t, minter.Revoke(t.Context(), request, other.Handle))
		}
		before := w.sim.Handles(v.api, v.owner)
		_, err := minter.Mint(t.Context(), request)
		require.ErrorIs(t, err, rotation.ErrRefused)
		require.ErrorIs(t, minter.Abandon(t.Context(), request), rotation.ErrRefused)
		require.Equal(t, before, w.sim.Handles(v.api, v.owner))
	})
}

// What is asked of an owner that does not exist is answered like what is gone, and must not pass for it.
func TestWhatIsAskedOfAnUnknownOwnerIsNotGone(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		request := v.begin(t, w)
		handle := request.Handle
		switch v.kind {
		case "openai":
			v.settings.Project = "proj_2"
		case "aws_iam":
			v.settings.User = "nobody"
		case "azure":
			v.settings.Resource += "2"
		default:
			handle = "projects/p1/serviceAccounts/nobody@p1.iam.gserviceaccount.com/keys/abc"
		}
		err := v.open(t, w, 0).Revoke(t.Context(), request, handle)
		require.ErrorIs(t, err, rotation.ErrRefused)
		require.True(t, v.accepted(t, w, request.Current))
	})
}

func TestAHandleOfAnotherFormIsRefused(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		minter, request := v.open(t, w, 0), v.begin(t, w)
		calls := len(w.sim.AdminCalls())
		for _, handle := range []string{"", "../../other", "a b"} {
			require.ErrorIs(t, minter.Revoke(t.Context(), request, handle), rotation.ErrRefused)
		}
		require.Len(t, w.sim.AdminCalls(), calls, "nothing is sent")
		request.ID = ""
		_, err := minter.Mint(t.Context(), request)
		require.ErrorIs(t, err, rotation.ErrRefused)
	})
}

func TestOnlyWhatAnotherTryCannotMendIsRefused(t *testing.T) {
	t.Parallel()
	for status, refused := range map[int]bool{
		302: true, 400: true, 401: true, 403: true, 404: true, 408: false, 409: false, 422: true, 425: false, 429: false, 500: false, 503: false,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			eachVendor(t, func(t *testing.T, w *world, v vendor) {
				minter, request := v.open(t, w, 0), v.begin(t, w)
				for _, operation := range []simulator.AdminOperation{simulator.AdminToken, simulator.AdminList, simulator.AdminCreate} {
					if operation == simulator.AdminToken && (v.kind == "openai" || v.kind == "aws_iam") {
						continue
					}
					w.sim.ClearAdminFaults()
					w.sim.SetAdminFault(simulator.AdminFault{Operation: operation, Status: status})
					_, err := minter.Mint(t.Context(), request)
					requireNoSecret(t, err, request)
					require.ErrorContains(t, err, fmt.Sprintf("HTTP %d", status))
					require.ErrorContains(t, err, v.kind+": ")
					if refused {
						require.ErrorIs(t, err, rotation.ErrRefused)
					} else {
						require.NotErrorIs(t, err, rotation.ErrRefused)
					}
				}
			})
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	eachVendor(t, func(t *testing.T, w *world, v vendor) {
		minter, request := v.open(t, w, time.Hour), v.begin(t, w)
		w.sim.SetAdminFault(simulator.AdminFault{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := minter.Mint(ctx, request)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		requireNoSecret(t, err, request)
		require.ErrorIs(t, v.open(t, w, 50*time.Millisecond).Revoke(t.Context(), request, request.Handle), context.DeadlineExceeded)
	})
}
