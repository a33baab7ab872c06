package bedrock

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/holdfast-dev/holdfast/llm"
	"github.com/holdfast-dev/holdfast/providers/internal/wire"
)

var _ llm.Prober = (*Client)(nil)

// Probe implements [llm.Prober] by CountTokens of a word, which is free
// (https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html). It is known for some of Claude's models only, by the
// names that they have without a region; that it is refused for a model says of endpoint and credential as much as a count
// does. An account that may not count tokens cannot be asked at all: models are listed by another endpoint, with rights of its
// own.
func (c *Client) Probe(ctx context.Context, key llm.Secret, model string) error {
	via, err := c.access(key, model)
	if err != nil {
		return err
	}
	_, err = withKeys(ctx, c, via, func(keys keys) (struct{}, error) {
		return struct{}{}, c.countWord(ctx, via.region, keys, model)
	})
	failure, ok := errors.AsType[*llm.Error](err)
	switch {
	case !ok:
		return err
	case failure.Status == http.StatusBadRequest && failure.Code == "ValidationException" && failure.Kind != llm.KindCredential:
		return nil
	case failure.Kind == llm.KindModelAccess:
		return &llm.Error{
			Kind: llm.KindUnsupported, Provider: name, Status: failure.Status, Code: failure.Code, RequestID: failure.RequestID,
			Detail: "the account may not count tokens, and no other call is free",
		}
	default:
		return err
	}
}

func (c *Client) countWord(ctx context.Context, region string, keys keys, model string) error {
	input := &bedrockruntime.CountTokensInput{
		ModelId: aws.String(foundation(model)),
		Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: []types.Message{{
			Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "a"}},
		}}}},
	}
	return wire.Probe(ctx, wire.Call{
		Provider: name, Auth: c.auth(region, keys),
		Send: func(ctx context.Context) error {
			_, err := c.sdk.CountTokens(ctx, input, inRegion(region))
			return err
		},
		Classify: func(answer wire.Answer) *llm.Error { return keys.scrub(classify(answer, c.now())) },
	})
}

// foundation is the name of the model behind an inference profile of a region; a name that does not tell is left as it is.
func foundation(model string) string {
	if match := maker.FindStringSubmatch(strings.ToLower(model)); match != nil {
		return match[1]
	}
	return model
}
