package mint

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/holdfast-dev/holdfast/llm"
)

// awsRegion is used if a credential names none. IAM is one for a whole partition, so that any of its regions serves.
const awsRegion = "us-east-1"

var (
	validAccessKey = regexp.MustCompile(`^\w{16,128}$`) // docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
	validRegion    = regexp.MustCompile(`^[a-z]{2,6}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)
)

// awsKey is an access key as the vault holds it: the form that calls to Bedrock take.
type awsKey struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	SessionToken    string `json:"session_token"`
	Region          string `json:"region"`
	RoleARN         string `json:"role_arn"`
}

// parseAWSKey reads an access key; false if it is something else.
func parseAWSKey(secret llm.Secret) (awsKey, bool) {
	key := awsKey{}
	if json.Unmarshal([]byte(secret.Reveal()), &key) != nil || key.SecretAccessKey == "" || !validAccessKey.MatchString(key.AccessKeyID) {
		return awsKey{}, false
	}
	if key.Region == "" {
		key.Region = awsRegion
	}
	return key, validRegion.MatchString(key.Region) && isToken(llm.Secret(key.SessionToken))
}

// awsSigner is the key that signs the calls to IAM: the admin's, or else the one in use itself. A role that the key in use names
// is for calls to Bedrock and is left aside here.
func awsSigner(request Request) (awsKey, error) {
	if request.Admin == "" {
		key, ok := parseAWSKey(request.Current)
		if !ok {
			return awsKey{}, refuse("aws_iam: there is no admin credential, and the key in use is no access key")
		}
		return key, nil
	}
	key, ok := parseAWSKey(request.Admin)
	switch {
	case !ok:
		return awsKey{}, refuse("aws_iam: the admin credential is no JSON with access_key_id and secret_access_key")
	case key.RoleARN != "":
		return awsKey{}, refuse("aws_iam: the admin credential names a role, and roles are not assumed here: take the access key of a user")
	}
	return key, nil
}

// withAccessKey is the key in use with another access key in it: its region, its role and what else it says stay.
func withAccessKey(current llm.Secret, id, secret string) (llm.Secret, error) {
	members := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(current.Reveal()), &members) != nil {
		return "", refuse("aws_iam: the key in use is no JSON object")
	}
	delete(members, "session_token") // of the former key
	for name, value := range map[string]string{"access_key_id": id, "secret_access_key": secret} {
		text, err := json.Marshal(value)
		if err != nil {
			return "", refuse("aws_iam: the new key is no text")
		}
		members[name] = text
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // what is kept is not to change
	if err := encoder.Encode(members); err != nil {
		return "", refuse("aws_iam: the new key cannot be written")
	}
	return llm.Secret(bytes.TrimSpace(text.Bytes())), nil
}
