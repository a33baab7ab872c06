package wire

import (
	"context"
	"io"
	"net/http"
)

// Get is the Send of a call without a body, for what a vendor's SDK has no method for, or none with a path of our own. The client
// is one of [NewClient].
func Get(client *http.Client, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body) // the transport has kept the answer; this is its stand-in
		return resp.Body.Close()
	}
}
