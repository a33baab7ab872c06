package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	clientTimeout  = 30 * time.Second
	maxClientReply = 256 << 20 // 10,000 calls with their bodies
)

// ErrControl is in the chain of every error that the control API answered.
var ErrControl = errors.New("simulator control")

// Client talks to a [Simulator.ControlHandler].
type Client struct {
	// BaseURL is where the control API is mounted, such as "http://127.0.0.1:9100".
	BaseURL string
	// Token is sent as a bearer token if not empty.
	Token string
	// HTTPClient makes the calls; nil means one with a timeout of 30 seconds.
	HTTPClient *http.Client
}

// SetFault adds a fault at the vendor and returns its id. See [Simulator.SetFault].
func (c *Client) SetFault(ctx context.Context, vendor Vendor, fault Fault) (string, error) {
	if err := fault.Validate(); err != nil {
		return "", err
	}
	var reply faultSetReply
	err := c.call(ctx, http.MethodPost, "/faults/"+url.PathEscape(string(vendor)), fault, &reply)
	return reply.ID, err
}

// ClearFaults removes all faults of the vendor; of every vendor if it is "".
func (c *Client) ClearFaults(ctx context.Context, vendor Vendor) error {
	path := "/faults"
	if vendor != "" {
		path += "/" + url.PathEscape(string(vendor))
	}
	return c.call(ctx, http.MethodDelete, path, nil, nil)
}

// ClearFault removes one fault of the vendor. It is an error if there is none with that id.
func (c *Client) ClearFault(ctx context.Context, vendor Vendor, id string) error {
	return c.call(ctx, http.MethodDelete, "/faults/"+url.PathEscape(string(vendor))+"/"+url.PathEscape(id), nil, nil)
}

// Faults lists the faults in force, per vendor.
func (c *Client) Faults(ctx context.Context) (map[Vendor][]Fault, error) {
	var reply allFaultsReply
	err := c.call(ctx, http.MethodGet, "/faults", nil, &reply)
	return reply.Faults, err
}

// SetLimit gives the vendor a limit in place of the one it has; the zero one takes it away. See [Simulator.SetLimit].
func (c *Client) SetLimit(ctx context.Context, vendor Vendor, limit Limit) error {
	if err := limit.Validate(); err != nil {
		return err
	}
	return c.call(ctx, http.MethodPut, "/limits/"+url.PathEscape(string(vendor)), limit, nil)
}

// Limits tells of every vendor's limit, and how many calls it has let through and refused.
func (c *Client) Limits(ctx context.Context) (map[Vendor]LimitState, error) {
	var reply limitsReply
	err := c.call(ctx, http.MethodGet, "/limits", nil, &reply)
	return reply.Limits, err
}

// Calls lists the vendor's last calls, oldest first.
func (c *Client) Calls(ctx context.Context, vendor Vendor) ([]Call, error) {
	var reply callsReply
	err := c.call(ctx, http.MethodGet, "/calls/"+url.PathEscape(string(vendor)), nil, &reply)
	return reply.Calls, err
}

func (c *Client) call(ctx context.Context, method, path string, body, reply any) error {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		sent = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.BaseURL, "/")+path, sent)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: clientTimeout}
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("reach the simulator's control API: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // nothing is lost: the body has been read, or given up
	data, err := io.ReadAll(io.LimitReader(response.Body, maxClientReply))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return controlError(response.StatusCode, data)
	}
	if reply == nil {
		return nil
	}
	if err := json.Unmarshal(data, reply); err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	return nil
}

// controlError says what the control API refused, or what stands in its place: the message of an admin API's error, or
// nothing of a body of another shape.
func controlError(status int, data []byte) error {
	var plain errorReply
	if json.Unmarshal(data, &plain) == nil && plain.Error != "" {
		return fmt.Errorf("%w: %s (HTTP %d)", ErrControl, plain.Error, status)
	}
	var nested struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &nested) == nil && nested.Error.Message != "" {
		return fmt.Errorf("%w: %s (HTTP %d)", ErrControl, nested.Error.Message, status)
	}
	return fmt.Errorf("%w: HTTP %d", ErrControl, status)
}
