package mint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/holdfast-dev/holdfast/rotation"
)

// awsIAM makes access keys of one IAM user (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html).
//
// A user has at most two, and they bear no label. A key of the user's that is not the one in use and was created when the rotation
// had begun is taken for what a lost answer left behind. An older one is somebody's: it stays, and no key can be made beside it.
type awsIAM struct {
	user     string
	endpoint string
	exchange exchange
}

// Mint implements [Minter].
func (a awsIAM) Mint(ctx context.Context, request Request) (Minted, error) {
	client, current, err := a.prepare(request)
	if err != nil {
		return Minted{}, err
	}
	if err = a.sweep(ctx, client, request, current); err != nil {
		return Minted{}, err
	}
	const operation = "aws_iam: CreateAccessKey"
	ctx, cancel := context.WithTimeout(ctx, a.exchange.timeout)
	defer cancel()
	output, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(a.user)})
	if isAWS(err, "LimitExceeded") {
		return Minted{}, a.full(ctx, client, request, current)
	}
	if err != nil {
		return Minted{}, awsError(ctx, operation, err)
	}
	made := output.AccessKey
	if made == nil || aws.ToString(made.AccessKeyId) == "" || aws.ToString(made.SecretAccessKey) == "" {
		return Minted{}, fmt.Errorf("%s: the answer holds no key", operation)
	}
	key, err := withAccessKey(request.Current, *made.AccessKeyId, *made.SecretAccessKey)
	return Minted{Key: key, Handle: *made.AccessKeyId, Former: current}, err
}

// full says why no key could be made beside those that there are. IAM may know for a while what is gone already, and not yet what was
// made: the limit counts, then, where the list tells of nobody's key.
func (a awsIAM) full(ctx context.Context, client *iam.Client, request Request, current string) error {
	const operation = "aws_iam: CreateAccessKey"
	created, err := a.list(ctx, client)
	if err != nil {
		return err
	}
	for id, at := range created {
		if id != current && !madeSince(request, at) {
			return refuse("%s: the user has as many access keys as it may: delete the one that is not in use", operation)
		}
	}
	return fmt.Errorf("%s: IAM counts a key that it does not list, or that was deleted just now", operation)
}

// Abandon implements [Minter].
func (a awsIAM) Abandon(ctx context.Context, request Request) error {
	client, current, err := a.prepare(request)
	if err != nil {
		return err
	}
	return a.sweep(ctx, client, request, current)
}

// prepare makes a client for one request, and says which key is in use.
func (a awsIAM) prepare(request Request) (*iam.Client, string, error) {
	if err := demand(request, false); err != nil {
		return nil, "", err
	}
	signer, err := awsSigner(request)
	if err != nil {
		return nil, "", err
	}
	current, ok := parseAWSKey(request.Current)
	if !ok {
		return nil, "", refuse("aws_iam: the key in use is no JSON with access_key_id and secret_access_key, so it has no successor of its kind")
	}
	return a.client(signer), current.AccessKeyID, nil
}

// sweep deletes what an earlier try of the rotation has made.
func (a awsIAM) sweep(ctx context.Context, client *iam.Client, request Request, current string) error {
	created, err := a.list(ctx, client)
	if err != nil {
		return err
	}
	if _, ok := created[current]; !ok {
		return refuse("aws_iam: the key in use is none of the user's: does `user` name its owner?")
	}
	for id, at := range created {
		if id == current || !madeSince(request, at) || slices.Contains(request.Keep, id) {
			continue
		}
		if err := a.remove(ctx, client, id); err != nil && !isAWS(err, "NoSuchEntity") {
			return err
		}
	}
	return nil
}

// Revoke implements [Minter].
func (a awsIAM) Revoke(ctx context.Context, request Request, handle string) error {
	if err := demand(request, false); err != nil {
		return err
	}
	signer, err := awsSigner(request)
	if err != nil {
		return err
	}
	if !validAccessKey.MatchString(handle) {
		return refuse("aws_iam: the handle is no id of an access key: delete the key by hand")
	}
	client := a.client(signer)
	if err = a.remove(ctx, client, handle); !isAWS(err, "NoSuchEntity") {
		return err
	}
	// A user that does not exist is answered like a key that does not.
	created, err := a.list(ctx, client)
	if _, ok := created[handle]; ok {
		return errors.New("aws_iam: DeleteAccessKey: the key is listed still")
	}
	return err
}

// remove deletes an access key. Its error has the SDK's code in its chain.
func (a awsIAM) remove(ctx context.Context, client *iam.Client, id string) error {
	ctx, cancel := context.WithTimeout(ctx, a.exchange.timeout)
	defer cancel()
	_, err := client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String(a.user), AccessKeyId: aws.String(id)})
	return awsError(ctx, "aws_iam: DeleteAccessKey", err)
}

// list gives the user's access keys, with when they were created.
func (a awsIAM) list(ctx context.Context, client *iam.Client) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, a.exchange.timeout)
	defer cancel()
	created := map[string]time.Time{}
	// Not by the SDK's paginator: it puts back the middleware that reads the environment.
	input := &iam.ListAccessKeysInput{UserName: aws.String(a.user)}
	for {
		page, err := client.ListAccessKeys(ctx, input)
		if err != nil {
			return nil, awsError(ctx, "aws_iam: ListAccessKeys", err)
		}
		for _, key := range page.AccessKeyMetadata {
			created[aws.ToString(key.AccessKeyId)] = aws.ToTime(key.CreateDate)
		}
		if !page.IsTruncated || aws.ToString(page.Marker) == "" {
			return created, nil
		}
		input.Marker = page.Marker
	}
}

// client signs with one key. Whatever the SDK would look for in the environment is given to it, or taken out.
func (a awsIAM) client(signer awsKey) *iam.Client {
	options := iam.Options{
		Region:      signer.Region,
		HTTPClient:  a.exchange.client,
		Retryer:     aws.NopRetryer{}, // who calls tries again
		Credentials: credentials.NewStaticCredentialsProvider(signer.AccessKeyID, signer.SecretAccessKey, signer.SessionToken),
		APIOptions:  []func(*middleware.Stack) error{withoutEnvironment},
	}
	if a.endpoint != "" {
		options.BaseEndpoint = aws.String(a.endpoint)
	}
	return iam.New(options)
}

// withoutEnvironment takes out what copies variables of the environment into headers: AWS_EXECUTION_ENV and
// _X_AMZN_TRACE_ID.
func withoutEnvironment(stack *middleware.Stack) error {
	for _, id := range []string{"UserAgent", "RecursionDetection"} {
		if _, err := stack.Build.Remove(id); err != nil {
			return fmt.Errorf("take %s out of the SDK's stack: %w", id, err)
		}
	}
	return nil
}

// awsError says what became of a call. Of what IAM said only its code is kept.
func awsError(ctx context.Context, operation string, err error) error {
	if err == nil {
		return nil
	}
	answered, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || ctx.Err() != nil || answered.HTTPStatusCode() == 0 {
		return networkError(ctx, operation, err)
	}
	if answered.HTTPStatusCode() < http.StatusMultipleChoices {
		return fmt.Errorf("%s: the answer is not of the expected form", operation)
	}
	e := &awsFailure{statusError: statusError{operation, answered.HTTPStatusCode()}}
	if refusal, ok := errors.AsType[smithy.APIError](err); ok && validAWSCode(refusal.ErrorCode()) {
		e.code = refusal.ErrorCode()
	}
	return e
}

// awsFailure is an answer of IAM's that is no success.
type awsFailure struct { //nolint:errname // beside statusError, which it is
	statusError
	code string
}

// Error names the operation, the status and IAM's code.
func (e *awsFailure) Error() string {
	if e.code == "" {
		return e.statusError.Error()
	}
	return e.statusError.Error() + " (" + e.code + ")"
}

// Is makes [rotation.ErrRefused] of what will be answered the same the next time: IAM has codes that say better than its statuses whether.
func (e *awsFailure) Is(target error) bool {
	switch e.code {
	case "Throttling", "ThrottlingException", "RequestLimitExceeded", "EntityTemporarilyUnmodifiable", "ConcurrentModification", "RequestExpired":
		return false
	}
	return target == rotation.ErrRefused && refuses(e.status)
}

// isAWS reports whether an error is an answer with a code.
func isAWS(err error, code string) bool {
	if e, ok := errors.AsType[*awsFailure](err); ok {
		return e.code == code
	}
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && refusal.ErrorCode() == code
}

// validAWSCode keeps out what is no code: the member could hold any text.
func validAWSCode(code string) bool {
	return len(code) < 64 && validAccount.MatchString(code)
}
