// Package gemini speaks the Gemini API of Google AI Studio: generateContent, version v1beta unless the address says
// otherwise. It does not speak Vertex AI.
//
// The official SDK sends the request, but contents and tools are encoded here: the SDK takes both through maps of any,
// which rounds large numbers in tool arguments, and base64-encodes what the documentation wants literally. The SDK's
// automatic continuation is off, since each continuation is billed. The client's user id has no place here and is left
// out with a warning. Not yet spoken: images and files, safety settings, thinking, cached content, thought signatures
// (histories with tool calls go to Gemini 3 and later with the documented stand-in).
//
// Documentation: https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/troubleshooting.
package gemini
