// Package wire is the HTTP exchange under every provider adapter.
//
// A vendor's SDK builds the request and sends it through [NewClient]'s transport. The transport puts the call's own key
// on it, reads the whole answer within a bound, and keeps status, headers and body in the [Answer]; the SDK itself is
// handed an empty object. Three reasons:
//
//   - the SDKs lose what error classification needs (genai drops the response headers and believes the status that the
//     body claims; openai-go turns a non-JSON error into a parse error);
//   - their decoders are not built for hostile bodies (genai panics on the body "null");
//   - the key is per call, and no SDK may add one that it found in the environment.
package wire
