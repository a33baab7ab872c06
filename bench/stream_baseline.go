package bench

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
)

// relayer is the least that a proxy of streams does: it reads the provider's events one by one, writes each on, and flushes.
func relayer(client *http.Client, url string) gin.HandlerFunc {
	return func(c *gin.Context) {
		// Whole: the server closes the body when the answer begins, and the transport may not have seen its end by then.
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			c.String(http.StatusBadRequest, err.Error())
			return
		}
		response, err := call(c.Request.Context(), client, url, "", bytes.NewReader(body), int64(len(body)))
		if err != nil {
			c.String(http.StatusBadGateway, err.Error())
			return
		}
		defer response.Body.Close() //nolint:errcheck // it has been read
		c.Header("Content-Type", "text/event-stream")
		c.Header("Cache-Control", "no-cache")
		c.Status(http.StatusOK)
		events := bufio.NewReader(response.Body)
		for {
			event, err := nextEvent(events)
			if len(event) > 0 {
				if _, err := c.Writer.Write(event); err != nil {
					return // the client left
				}
				c.Writer.Flush()
			}
			if err != nil {
				return // a client whose provider broke off misses its [DONE]
			}
		}
	}
}

// nextEvent reads up to the blank line that ends an event, which it keeps.
func nextEvent(from *bufio.Reader) ([]byte, error) {
	var event []byte
	for {
		line, err := from.ReadSlice('\n')
		event = append(event, line...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return event, err
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			return event, nil
		}
	}
}
