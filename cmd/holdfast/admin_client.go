package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// adminTime is how long the admin API may take for an answer of one piece.
const adminTime = 30 * time.Second

// callAdmin asks the running instance's admin API, and decodes the answer into out if that is not nil.
func callAdmin(cmd *cobra.Command, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), adminTime)
	defer cancel()
	return callAdminFor(ctx, cmd, method, path, in, out)
}

// callAdminFor is callAdmin for what may take as long as the context says.
func callAdminFor(ctx context.Context, cmd *cobra.Command, method, path string, in, out any) error {
	response, err := openAdmin(ctx, cmd, method, path, in)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(content, out)
}

// openAdmin asks the admin API for an answer that its caller reads and closes. What is not a success is an error.
func openAdmin(ctx context.Context, cmd *cobra.Command, method, path string, in any) (*http.Response, error) {
	base, token, err := findAdmin(cmd)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the instance at %s does not answer: %w", base, err)
	}
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusAccepted {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	var failure struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && json.Unmarshal(content, &failure) == nil && failure.Error.Message != "" {
		return nil, errors.New(failure.Error.Message)
	}
	return nil, fmt.Errorf("the instance answered %s", response.Status)
}
