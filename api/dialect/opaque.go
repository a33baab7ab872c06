package dialect

import (
	"encoding/base64"
	"encoding/json"

	"github.com/holdfast-dev/holdfast/llm"
)

// Seal writes what is opaque as one word, so that clients hand it back as it is and do not take it apart. It hides nothing.
func Seal(opaque *llm.Opaque) string {
	if opaque == nil {
		return ""
	}
	content, err := json.Marshal(opaque)
	if err != nil { // what an adapter made is valid JSON
		return ""
	}
	return base64.StdEncoding.EncodeToString(content)
}

// Unseal reads such a word back; nil for what [Seal] did not write.
func Unseal(word string) *llm.Opaque {
	content, err := base64.StdEncoding.DecodeString(word)
	if err != nil || len(content) == 0 {
		return nil
	}
	var opaque llm.Opaque
	if json.Unmarshal(content, &opaque) != nil || len(opaque.Data) == 0 {
		return nil
	}
	return &opaque
}
