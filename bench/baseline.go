package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
)

// baselinePool is the number of connections of the writing proxy, that of a Holdfast process.
const baselinePool = 24

// ServeBaselines runs the proxies that are the floors of any gateway, on one free port, until the input ends. One path only
// forwards, the other also inserts the answer as a row into the database before it answers. Providers are named in the path:
// /proxy/N/… and /write/N/… forward to the N-th. It prints its address as its only line.
func ServeBaselines(ctx context.Context, databaseURL string, providers []string, in io.Reader, out io.Writer) error {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return err
	}
	config.MaxConns = baselinePool
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	const table = `CREATE TABLE IF NOT EXISTS answers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)`
	if _, err := pool.Exec(ctx, table); err != nil {
		return fmt.Errorf("making the table of the writing proxy: %w", err)
	}
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	client := httpClient(4096)
	for i, provider := range providers {
		forward := forwarder(client, provider+"/chat/completions")
		router.POST(fmt.Sprintf("/proxy/%d/v1/chat/completions", i), func(c *gin.Context) {
			if answer, ok := forward(c); ok {
				c.Data(http.StatusOK, "application/json", answer)
			}
		})
		router.POST(fmt.Sprintf("/write/%d/v1/chat/completions", i), func(c *gin.Context) {
			answer, ok := forward(c)
			if !ok {
				return
			}
			if _, err := pool.Exec(c.Request.Context(), `INSERT INTO answers (body) VALUES ($1)`, string(answer)); err != nil {
				c.String(http.StatusInternalServerError, err.Error())
				return
			}
			c.Data(http.StatusOK, "application/json", answer)
		})
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	if _, err := fmt.Fprintf(out, "http://%s\n", listener.Addr()); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in) // until the benchmark ends, however it ends
	_ = server.Close()
	if err := <-serving; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// forwarder posts a request's body to the provider and reads the answer; it answers failures itself.
func forwarder(client *http.Client, url string) func(*gin.Context) ([]byte, bool) {
	return func(c *gin.Context) ([]byte, bool) {
		request, err := http.NewRequestWithContext(c.Request.Context(), http.MethodPost, url, c.Request.Body)
		if err == nil {
			request.ContentLength = c.Request.ContentLength
			request.Header.Set("Content-Type", "application/json")
			var response *http.Response
			if response, err = client.Do(request); err == nil {
				defer response.Body.Close() //nolint:errcheck // it has been read
				var answer []byte
				if answer, err = io.ReadAll(response.Body); err == nil && response.StatusCode == http.StatusOK {
					return answer, true
				}
				if err == nil {
					err = fmt.Errorf("provider: status %d", response.StatusCode)
				}
			}
		}
		c.String(http.StatusBadGateway, err.Error())
		return nil, false
	}
}
