package mint_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/rotation"
	"github.com/holdfast-dev/holdfast/simulator"
)

func named(t *testing.T, kind string) vendor {
	t.Helper()
	all := vendors()
	i := slices.IndexFunc(all, func(v vendor) bool { return v.kind == kind })
	require.GreaterOrEqual(t, i, 0)
	return all[i]
}

func TestASecondAccessKeyThatIsNotTheRotationsStays(t *testing.T) {
	t.Parallel()
	w, v := setup(t), named(t, "aws_iam")
	minter, request := v.open(t, w, 0), v.begin(t, w)
	w.sim.Administer(v.api, v.owner, w.url)
	before := w.sim.Handles(v.api, v.owner)
	_, err := minter.Mint(t.Context(), request)
	require.ErrorIs(t, err, rotation.ErrRefused)
	require.ErrorContains(t, err, "delete the one that is not in use")
	require.NoError(t, minter.Abandon(t.Context(), request))
	require.Equal(t, before, w.sim.Handles(v.api, v.owner))
}

// IAM learns by and by what is gone and what is there: a limit that no listed key explains is not for ever.
func TestALimitThatNoListedKeyExplainsIsTriedAgain(t *testing.T) {
	t.Parallel()
	w, v := setup(t), named(t, "aws_iam")
	request := v.begin(t, w)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "Action=CreateAccessKey") {
			rw.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(rw, `<ErrorResponse><Error><Type>Sender</Type><Code>LimitExceeded</Code></Error></ErrorResponse>`)
			return
		}
		if strings.Contains(string(body), "Action=DeleteAccessKey") { // is listed for a while still
			_, _ = io.WriteString(rw, `<DeleteAccessKeyResponse/>`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.sim.Administration().ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	_, err := v.open(t, w, 0).Mint(t.Context(), request)
	require.ErrorContains(t, err, "does not list")
	require.NotErrorIs(t, err, rotation.ErrRefused)
	w.sim.Administer(v.api, v.owner, w.url)
	_, err = v.open(t, w, 0).Mint(t.Context(), request)
	require.ErrorIs(t, err, rotation.ErrRefused)
	request.Began = time.Now().AddDate(-1, 0, 0) // which makes that key the rotation's own, and it was deleted
	_, err = v.open(t, w, 0).Mint(t.Context(), request)
	require.ErrorContains(t, err, "deleted just now")
	require.NotErrorIs(t, err, rotation.ErrRefused)
}

// Without the time at which it began a rotation has no claim to any key.
func TestWithoutABeginningNothingIsTheRotations(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"aws_iam", "gcp"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w, v := setup(t), named(t, kind)
			minter, request := v.open(t, w, 0), v.begin(t, w)
			_, err := minter.Mint(t.Context(), request)
			require.NoError(t, err)
			for name, began := range map[string]time.Time{"unknown": {}, "later": time.Now().Add(time.Hour)} {
				request.Began = began
				require.NoError(t, minter.Abandon(t.Context(), request))
				require.Len(t, w.sim.Handles(v.api, v.owner), 2, name)
			}
		})
	}
}

func TestTheEleventhKeyOfAServiceAccountIsRefused(t *testing.T) {
	t.Parallel()
	w, v := setup(t), named(t, "gcp")
	minter, request := v.open(t, w, 0), v.begin(t, w)
	for range 9 {
		w.sim.Administer(v.api, v.owner, w.url)
	}
	_, err := minter.Mint(t.Context(), request)
	require.ErrorIs(t, err, rotation.ErrRefused)
	require.ErrorContains(t, err, "ten")
	require.Len(t, w.sim.Handles(v.api, v.owner), 10)
}

func TestAnOrphanIsFoundAmongManyServiceAccounts(t *testing.T) {
	t.Parallel()
	w, v := setup(t), named(t, "openai")
	minter, request := v.open(t, w, 0), v.begin(t, w)
	for range 250 {
		w.sim.Administer(v.api, v.owner, w.url)
	}
	lost, err := minter.Mint(t.Context(), request)
	require.NoError(t, err)
	other := request
	other.ID = "rotation-2"
	kept, err := minter.Mint(t.Context(), other)
	require.NoError(t, err)
	require.NoError(t, minter.Abandon(t.Context(), request))
	require.False(t, v.accepted(t, w, lost.Key))
	require.True(t, v.accepted(t, w, kept.Key), "another rotation's")
}

func TestANewAccessKeyKeepsWhatElseTheCredentialSays(t *testing.T) {
	t.Parallel()
	w, v := setup(t), named(t, "aws_iam")
	minter, request := v.open(t, w, 0), v.begin(t, w)
	id, secret := member(t, request.Current, "access_key_id"), member(t, request.Current, "secret_access_key")
	request.Current = llm.Secret(`{"access_key_id":"` + id + `","secret_access_key":"` + secret +
		`","session_token":"old","region":"eu-west-1","role_arn":"arn:aws:iam::1:role/r","external_id":"<&>"}`)
	minted, err := minter.Mint(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, minted.Handle, member(t, minted.Key, "access_key_id"))
	require.NotEqual(t, secret, member(t, minted.Key, "secret_access_key"))
	require.Len(t, member(t, minted.Key, "secret_access_key"), 40)
	require.Empty(t, member(t, minted.Key, "session_token"))
	require.Equal(t, "eu-west-1", member(t, minted.Key, "region"))
	require.Equal(t, "arn:aws:iam::1:role/r", member(t, minted.Key, "role_arn"))
	require.Contains(t, minted.Key.Reveal(), `"<&>"`)

	request.Admin = llm.Secret(`{"access_key_id":"` + adminUser + `","secret_access_key":"s","role_arn":"arn:aws:iam::1:role/r"}`)
	_, err = minter.Mint(t.Context(), request)
	require.ErrorIs(t, err, rotation.ErrRefused)
	require.ErrorContains(t, err, "role")
}

func TestACredentialOfAnotherKindHasNoSuccessor(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"aws_iam", "gcp"} {
		w, v := setup(t), named(t, kind)
		request := v.begin(t, w)
		request.Current = "bedrock-api-key-or-the-like"
		_, err := v.open(t, w, 0).Mint(t.Context(), request)
		require.ErrorIs(t, err, rotation.ErrRefused)
		requireNoSecret(t, err, request)
	}
}

func TestAssertionsGoToGoogleOnly(t *testing.T) {
	t.Parallel()
	w, v := setup(t), named(t, "gcp")
	for _, address := range []string{"https://evil.example/token", "http://oauth2.googleapis.com/token", "https://googleapis.com.evil.example/token"} {
		request := v.begin(t, w)
		request.Admin = llm.Secret(w.sim.Administer(v.api, adminAccount, address).Key)
		_, err := v.open(t, w, 0).Mint(t.Context(), request)
		require.ErrorIs(t, err, rotation.ErrRefused)
		require.ErrorContains(t, err, "token_uri")
	}
}

func TestTheSDKReadsNothingFromTheEnvironment(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:1")
	t.Setenv("AWS_REGION", "xx-nowhere-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT12345")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	t.Setenv("AWS_SESSION_TOKEN", "environment-token")
	t.Setenv("AWS_EXECUTION_ENV", "environment-execution")
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
	t.Setenv("_X_AMZN_TRACE_ID", "environment-trace")
	w, v := setup(t), named(t, "aws_iam")
	var seen []http.Header
	recorder := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Clone())
		w.sim.Administration().ServeHTTP(rw, r)
	}))
	t.Cleanup(recorder.Close)
	request := v.begin(t, w)
	w.url = recorder.URL
	_, err := v.open(t, w, 0).Mint(t.Context(), request)
	require.NoError(t, err)
	require.Len(t, seen, 2)
	for _, header := range seen {
		require.Contains(t, header.Get("Authorization"), "/us-east-1/iam/aws4_request")
		require.Contains(t, header.Get("Authorization"), adminUser)
		require.Empty(t, header.Get("X-Amz-Security-Token"))
		for name, values := range header {
			require.NotContains(t, values[0], "environment", name)
		}
	}
}

func TestTheAdminCallsAreTheOnesThatAreNeeded(t *testing.T) {
	t.Parallel()
	w, v := setup(t), named(t, "azure")
	_, err := v.open(t, w, 0).Mint(t.Context(), v.begin(t, w))
	require.NoError(t, err)
	var operations []simulator.AdminOperation
	for _, call := range w.sim.AdminCalls() {
		operations = append(operations, call.Operation)
	}
	require.Equal(t, []simulator.AdminOperation{simulator.AdminToken, simulator.AdminList, simulator.AdminCreate}, operations)
	require.Equal(t, "Key2", w.sim.AdminCalls()[2].Handle)
}
