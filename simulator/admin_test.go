package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	openaisdk "github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-dev/holdfast/simulator"
)

const (
	adminKey      = "sk-admin-1234567890"
	adminAccess   = "AKIAADMINADMINADMIN1"
	azureResource = "/subscriptions/0-1/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/ai"
)

func administered(t *testing.T) (*simulator.Simulator, *httptest.Server, *http.Client) {
	t.Helper()
	sim := simulator.New(simulator.Options{Seed: 7, AdminKeys: []string{adminKey, adminAccess}})
	server := httptest.NewServer(sim.Administration())
	transport := &http.Transport{}
	t.Cleanup(server.Close)
	t.Cleanup(sim.Close)
	t.Cleanup(transport.CloseIdleConnections)
	return sim, server, &http.Client{Transport: transport}
}

func TestOpenAIsSDKAdministersServiceAccounts(t *testing.T) {
	t.Parallel()
	sim, server, client := administered(t)
	seeded := sim.Administer(simulator.AdminOpenAI, "proj_1", server.URL)
	sdk := openaisdk.NewClient(openaioption.WithBaseURL(server.URL+"/v1"), openaioption.WithAdminAPIKey(adminKey),
		openaioption.WithMaxRetries(0), openaioption.WithHTTPClient(client))
	accounts := sdk.Admin.Organization.Projects.ServiceAccounts
	made, err := accounts.New(t.Context(), "proj_1", openaisdk.AdminOrganizationProjectServiceAccountNewParams{Name: "mine"})
	require.NoError(t, err)
	require.Equal(t, "mine", made.Name)
	require.Equal(t, []bool{true, true, false}, taken(sim, seeded.Key, made.APIKey.Value, "other"))
	var names []string
	pages := accounts.ListAutoPaging(t.Context(), "proj_1", openaisdk.AdminOrganizationProjectServiceAccountListParams{Limit: openaisdk.Int(1)})
	for pages.Next() {
		names = append(names, pages.Current().Name)
	}
	require.NoError(t, pages.Err())
	require.Equal(t, []string{"seeded", "mine"}, names)
	_, err = accounts.Delete(t.Context(), "proj_1", made.ID)
	require.NoError(t, err)
	require.Equal(t, []bool{true, false}, taken(sim, seeded.Key, made.APIKey.Value))
	_, err = accounts.Delete(t.Context(), "proj_1", made.ID)
	require.ErrorContains(t, err, "404")
}

func TestAWSsSDKAdministersAccessKeys(t *testing.T) {
	t.Parallel()
	sim, server, client := administered(t)
	sim.Administer(simulator.AdminAWS, "caller", "")
	open := func(id string) *iam.Client {
		return iam.New(iam.Options{
			BaseEndpoint: aws.String(server.URL), Region: "us-east-1", HTTPClient: client, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider(id, "secret", ""),
		})
	}
	made, err := open(adminAccess).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("caller")})
	require.NoError(t, err)
	require.NotEmpty(t, *made.AccessKey.SecretAccessKey)
	_, err = open(adminAccess).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("caller")})
	var limit *types.LimitExceededException
	require.ErrorAs(t, err, &limit)
	listed, err := open(*made.AccessKey.AccessKeyId).ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("caller")})
	require.NoError(t, err, "a user's own key lists the user's keys")
	require.Len(t, listed.AccessKeyMetadata, 2)
	require.True(t, listed.AccessKeyMetadata[0].CreateDate.Before(*listed.AccessKeyMetadata[1].CreateDate))

	sim.Administer(simulator.AdminAWS, "other", "")
	_, err = open(*made.AccessKey.AccessKeyId).ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("other")})
	require.ErrorContains(t, err, "AccessDenied")
	_, err = open("AKIAUNKNOWNUNKNOWN12").ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("caller")})
	require.ErrorContains(t, err, "InvalidClientTokenId")
	var missing *types.NoSuchEntityException
	_, err = open(adminAccess).ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("nobody")})
	require.ErrorAs(t, err, &missing)
	remove := &iam.DeleteAccessKeyInput{UserName: aws.String("caller"), AccessKeyId: made.AccessKey.AccessKeyId}
	_, err = open(adminAccess).DeleteAccessKey(t.Context(), remove)
	require.NoError(t, err)
	_, err = open(adminAccess).DeleteAccessKey(t.Context(), remove)
	require.ErrorAs(t, err, &missing)
}

// What a vendor would not take is not taken here.
func TestAdministrationsAreStrict(t *testing.T) {
	t.Parallel()
	sim, server, client := administered(t)
	sim.Administer(simulator.AdminOpenAI, "proj_1", server.URL)
	sim.Administer(simulator.AdminAzure, azureResource, server.URL)
	sim.Administer(simulator.AdminGCP, "projects/p/serviceAccounts/a@p", server.URL)
	sim.Administer(simulator.AdminAWS, "caller", server.URL)
	const accounts = "/v1/organization/projects/proj_1/service_accounts"
	const form = "application/x-www-form-urlencoded"
	for name, test := range map[string]struct {
		method, path, body, bearer string
		want                       int
	}{
		"OpenAI, no key":              {"POST", accounts, `{"name":"x"}`, "", 401},
		"OpenAI, a project's key":     {"POST", accounts, `{"name":"x"}`, "sk-svcacct-x", 401},
		"OpenAI, no name":             {"POST", accounts, `{}`, adminKey, 400},
		"OpenAI, an unknown member":   {"POST", accounts, `{"name":"x","colour":"red"}`, adminKey, 400},
		"OpenAI, no JSON":             {"POST", accounts, `name=x`, adminKey, 400},
		"OpenAI, another project":     {"POST", "/v1/organization/projects/proj_2/service_accounts", `{"name":"x"}`, adminKey, 404},
		"OpenAI, a large page":        {"GET", accounts + "?limit=101", "", adminKey, 400},
		"OpenAI, another account":     {"DELETE", accounts + "/user-x", "", adminKey, 404},
		"AWS, unsigned":               {"POST", "/", "Action=ListAccessKeys&Version=2010-05-08&UserName=caller", "", 403},
		"AWS, another action":         {"POST", "/", "Action=DeleteUser&Version=2010-05-08", "", 404},
		"Entra, another grant":        {"POST", "/t/oauth2/v2.0/token", "grant_type=password", "", 400},
		"Entra, another scope":        {"POST", "/t/oauth2/v2.0/token", "grant_type=client_credentials&client_id=c&client_secret=" + adminKey + "&scope=x", "", 400},
		"Entra, a wrong secret":       {"POST", "/t/oauth2/v2.0/token", "grant_type=client_credentials&client_id=c&client_secret=x&scope=https%3A%2F%2Fm%2F.default", "", 401},
		"Azure, no token":             {"POST", azureResource + "/listKeys?api-version=2024-10-01", "", "", 401},
		"Azure, no version":           {"POST", azureResource + "/listKeys", "", "token", 400},
		"Azure, another resource":     {"POST", azureResource + "2/listKeys?api-version=2024-10-01", "", "token", 404},
		"Azure, a third key":          {"POST", azureResource + "/regenerateKey?api-version=2024-10-01", `{"keyName":"Key3"}`, "token", 400},
		"Azure, an unknown member":    {"POST", azureResource + "/regenerateKey?api-version=2024-10-01", `{"keyName":"Key1","x":1}`, "token", 400},
		"Azure, in another case":      {"POST", strings.ToUpper(azureResource[:14]) + azureResource[14:] + "/listKeys?api-version=2024-10-01", "", "token", 404},
		"Azure, a name in upper case": {"POST", strings.Replace(azureResource, "/ai", "/AI", 1) + "/listKeys?api-version=2024-10-01", "", "token", 200},
		"Google, no token":            {"GET", "/v1/projects/p/serviceAccounts/a@p/keys", "", "x", 401},
		"Google, another grant":       {"POST", "/token", "grant_type=x", "", 400},
		"Google, no assertion":        {"POST", "/token", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c", "", 400},
		"nothing of the kind":         {"GET", "/", "", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bearer := test.bearer
			if bearer == "token" {
				bearer = entraToken(t, server.URL, client)
			}
			request, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+test.path, strings.NewReader(test.body))
			require.NoError(t, err)
			request.Header.Set("Content-Type", form)
			if bearer != "" {
				request.Header.Set("Authorization", "Bearer "+bearer)
			}
			response, err := client.Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, test.want, response.StatusCode)
		})
	}
}

func entraToken(t *testing.T, url string, client *http.Client) string {
	t.Helper()
	body := "grant_type=client_credentials&client_id=c&client_secret=" + adminKey + "&scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/t/oauth2/v2.0/token", strings.NewReader(body))
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var granted struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&granted))
	return granted.Token
}

func TestAnAdministrationFailsBeforeItsWorkOrAfterIt(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		sim, server, client := administered(t)
		sim.Administer(simulator.AdminOpenAI, "proj_1", server.URL)
		create := func() (int, error) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/organization/projects/proj_1/service_accounts", strings.NewReader(`{"name":"x"}`))
			require.NoError(t, err)
			request.Header.Set("Authorization", "Bearer "+adminKey)
			response, err := client.Do(request)
			if err != nil {
				return 0, fmt.Errorf("create: %w", err)
			}
			return response.StatusCode, response.Body.Close()
		}
		sim.SetAdminFault(simulator.AdminFault{API: simulator.AdminOpenAI, Operation: simulator.AdminCreate, Count: 1, After: after, Status: 503})
		sim.SetAdminFault(simulator.AdminFault{Operation: simulator.AdminCreate, Count: 1, After: after})
		sim.SetAdminFault(simulator.AdminFault{API: simulator.AdminAWS, Status: 500})
		status, err := create()
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status)
		_, err = create()
		require.Error(t, err, "the connection is cut")
		status, err = create()
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		want := 2
		if after {
			want = 4
		}
		require.Len(t, sim.Handles(simulator.AdminOpenAI, "proj_1"), want)
		calls := sim.AdminCalls()
		require.Len(t, calls, 3)
		require.Equal(t, []bool{true, true, false}, []bool{calls[0].Fault, calls[1].Fault, calls[2].Fault})
		require.Equal(t, after, calls[0].Handle != "")
		sim.SetAdminFault(simulator.AdminFault{Status: 500})
		sim.ClearAdminFaults()
		status, err = create()
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
}
