package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// awsAlgorithm begins the Authorization header of a signed request
// (docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html).
const awsAlgorithm = "AWS4-HMAC-SHA256"

// bedrockAuth checks the form of what authorizes a request. Signatures are not recomputed: the simulator has no secrets. No
// header at all passes, like no key at the other vendors; [Options.RequireKeys] refuses it.
func bedrockAuth(r *http.Request) *wireError { return awsAuth(r, "bedrock") }

// awsAuth is [bedrockAuth] for any service, by the name that signatures have for it.
func awsAuth(r *http.Request, service string) *wireError {
	header := r.Header.Get("Authorization")
	signature, signed := strings.CutPrefix(header, awsAlgorithm)
	if !signed {
		if header == "" || strings.HasPrefix(header, "Bearer ") && len(header) > len("Bearer ") {
			return nil
		}
		return bedrockUnsigned("IncompleteSignatureException", "Authorization header requires 'Credential' parameter. "+
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "+
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	parameters := awsParameters(signature)
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parameters[name] == "" {
			return bedrockUnsigned("IncompleteSignatureException", "Authorization header requires '"+name+"' parameter.")
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return bedrockUnsigned("IncompleteSignatureException", "Authorization header requires existence of either a "+
			"'X-Amz-Date' or a 'Date' header.")
	}
	if refused := awsScope(parameters["Credential"], at, service); refused != nil {
		return refused
	}
	if !isHex(parameters["Signature"], 64) {
		return bedrockUnsigned("InvalidSignatureException", "The request signature we calculated does not match the signature "+
			"you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	headers := strings.Split(parameters["SignedHeaders"], ";")
	if !slices.Contains(headers, "host") {
		return bedrockUnsigned("InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS "+
			"Authorization.")
	}
	if !slices.Contains(headers, "x-amz-date") {
		return bedrockUnsigned("InvalidSignatureException", "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

// awsScope checks key-id/date/region/service/aws4_request.
func awsScope(credential string, at time.Time, service string) *wireError {
	parts := strings.Split(credential, "/")
	switch {
	case len(parts) != 5 || parts[0] == "":
		return bedrockUnsigned("IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements, e.g. "+
			"keyid/date/region/service/term, got '"+parts[0]+"'")
	case parts[1] != at.Format("20060102"):
		return bedrockUnsigned("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 "+
			"version of date from HTTP: '"+parts[1]+"' != '"+at.Format("20060102")+"', from '"+at.Format("20060102T150405Z")+"'.")
	case parts[2] == "":
		return bedrockUnsigned("InvalidSignatureException", "Credential should be scoped to a valid region.")
	case parts[3] != service:
		return bedrockUnsigned("InvalidSignatureException", "Credential should be scoped to correct service: '"+service+"'.")
	case parts[4] != "aws4_request":
		return bedrockUnsigned("InvalidSignatureException", "Credential should be scoped with a valid terminator: "+
			"'aws4_request', not '"+parts[4]+"'.")
	}
	return nil
}

func bedrockUnsigned(kind, message string) *wireError {
	return bedrockError(http.StatusForbidden, kind, message)
}

// awsParameters reads "Credential=a, SignedHeaders=b, Signature=c".
func awsParameters(text string) map[string]string {
	parameters := make(map[string]string)
	for part := range strings.SplitSeq(text, ",") {
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			parameters[name] = value
		}
	}
	return parameters
}

func isHex(text string, n int) bool {
	return len(text) == n && strings.Trim(text, hexDigits) == ""
}
