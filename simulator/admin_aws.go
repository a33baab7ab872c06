package simulator

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	iamVersion   = "2010-05-08"
	iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"
	// maxAccessKeys is how many a user may have (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
	maxAccessKeys = 2
)

// awsAdmin holds access keys by their users.
type awsAdmin map[string][]*accessKey

type accessKey struct {
	id, secret string
	created    time.Time
}

const upperBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

func (a *administration) newAccessKey(user string, at time.Time) *accessKey {
	key := &accessKey{
		id: a.sim.ids.mint("AKIA", upperBase32, 16), secret: a.sim.ids.mint("", base62+"+/", 40), created: at.UTC().Truncate(time.Second),
	}
	a.aws[user] = append(a.aws[user], key)
	a.sim.Issue(key.id)
	return key
}

// iamReply is an answer of IAM's.
type iamReply struct {
	XMLName   xml.Name
	Namespace string `xml:"xmlns,attr"`
	Result    any
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

type iamAccessKey struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func (k *accessKey) told(user, secret string) iamAccessKey {
	return iamAccessKey{UserName: user, AccessKeyID: k.id, Status: "Active", SecretAccessKey: secret, CreateDate: k.created.Format(time.RFC3339)}
}

// routeAWS takes what is posted to the root: IAM's query API.
func (a *administration) routeAWS(asked *adminAsked) bool {
	if asked.r.URL.Path != "/" || asked.r.Method != http.MethodPost {
		return false
	}
	form, err := url.ParseQuery(string(asked.body))
	if err != nil {
		return false
	}
	var run func(*adminAsked, url.Values) adminReply
	known := []string{"Action", "Version", "UserName"}
	switch form.Get("Action") {
	case "CreateAccessKey":
		asked.call.Operation, run = AdminCreate, a.iamCreate
	case "ListAccessKeys":
		asked.call.Operation, run = AdminList, a.iamList
		known = append(known, "Marker", "MaxItems")
	case "DeleteAccessKey":
		asked.call.Operation, run = AdminDelete, a.iamDelete
		known = append(known, "AccessKeyId")
	default:
		return false
	}
	asked.call.API, asked.call.Owner = AdminAWS, form.Get("UserName")
	asked.run = func(asked *adminAsked) adminReply {
		if refused := a.iamAuth(asked); refused != nil {
			return *refused
		}
		for name := range form {
			if !slices.Contains(known, name) || form.Get("Version") != iamVersion {
				return a.iamError(http.StatusBadRequest, "MalformedInput", "The request is malformed.")
			}
		}
		if _, ok := a.aws[asked.call.Owner]; !ok {
			return a.iamError(http.StatusNotFound, "NoSuchEntity", "The user with name "+asked.call.Owner+" cannot be found.")
		}
		return run(asked, form)
	}
	return true
}

// iamAuth lets the administrators in, and a user to its own keys.
func (a *administration) iamAuth(asked *adminAsked) *adminReply {
	refuse := func(code, message string) *adminReply {
		reply := a.iamError(http.StatusForbidden, code, message)
		return &reply
	}
	id := bedrockProtocol{}.key(asked.r)
	if id == "" {
		return refuse("MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	if refused := awsAuth(asked.r, "iam"); refused != nil {
		return refuse("SignatureDoesNotMatch", refused.message)
	}
	if a.mayAll(id) {
		return nil
	}
	for user, keys := range a.aws {
		if slices.ContainsFunc(keys, func(key *accessKey) bool { return key.id == id }) {
			if user == asked.call.Owner {
				return nil
			}
			return refuse("AccessDenied", "User is not authorized to perform this action on "+asked.call.Owner)
		}
	}
	return refuse("InvalidClientTokenId", "The security token included in the request is invalid.")
}

func (a *administration) iamError(status int, code, message string) adminReply {
	type iamError struct{ Type, Code, Message string }
	return a.iamXML(status, struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Namespace string   `xml:"xmlns,attr"`
		Error     iamError
		RequestID string `xml:"RequestId"`
	}{Namespace: iamNamespace, Error: iamError{"Sender", code, message}, RequestID: azureID(a.sim.ids)})
}

func (a *administration) iamXML(status int, body any) adminReply {
	text, err := xml.Marshal(body)
	if err != nil { // it is built here
		return adminReply{status: http.StatusInternalServerError}
	}
	return adminReply{status: status, body: text, xml: true}
}

func (a *administration) iamResponse(action string, result any) adminReply {
	return a.iamXML(http.StatusOK, iamReply{
		XMLName: xml.Name{Local: action + "Response"}, Namespace: iamNamespace, Result: result, RequestID: azureID(a.sim.ids),
	})
}

func (a *administration) iamCreate(asked *adminAsked, _ url.Values) adminReply {
	user := asked.call.Owner
	if len(a.aws[user]) >= maxAccessKeys {
		return a.iamError(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	}
	key := a.newAccessKey(user, a.sim.now())
	asked.call.Handle = key.id
	return a.iamResponse("CreateAccessKey", struct {
		XMLName   xml.Name `xml:"CreateAccessKeyResult"`
		AccessKey iamAccessKey
	}{AccessKey: key.told(user, key.secret)})
}

func (a *administration) iamList(asked *adminAsked, _ url.Values) adminReply {
	var keys []iamAccessKey
	for _, key := range a.aws[asked.call.Owner] {
		keys = append(keys, key.told(asked.call.Owner, ""))
	}
	return a.iamResponse("ListAccessKeys", struct {
		XMLName     xml.Name `xml:"ListAccessKeysResult"`
		IsTruncated bool
		Members     []iamAccessKey `xml:"AccessKeyMetadata>member"`
	}{Members: keys})
}

func (a *administration) iamDelete(asked *adminAsked, form url.Values) adminReply {
	id := form.Get("AccessKeyId")
	asked.call.Handle = id
	keys := a.aws[asked.call.Owner]
	i := slices.IndexFunc(keys, func(key *accessKey) bool { return key.id == id })
	if i < 0 {
		return a.iamError(http.StatusNotFound, "NoSuchEntity", "The Access Key with id "+id+" cannot be found.")
	}
	a.aws[asked.call.Owner] = slices.Delete(keys, i, i+1)
	a.sim.Reject(id)
	return a.iamXML(http.StatusOK, struct {
		XMLName   xml.Name `xml:"DeleteAccessKeyResponse"`
		Namespace string   `xml:"xmlns,attr"`
		RequestID string   `xml:"ResponseMetadata>RequestId"`
	}{Namespace: iamNamespace, RequestID: azureID(a.sim.ids)})
}
