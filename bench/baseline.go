package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
)

// baselinePool is the number of connections of the writing proxy, that of a Holdfast process.
const baselinePool = 24

// ServeBaselines runs the proxies that are the floors of any gateway, on one free port, until the input ends. One path only
// forwards, the second also inserts the answer as a row into the database before it answers, the third forwards streams. Providers
// are named in the path: /proxy/N/…, /write/N/… and /stream/N/… forward to the N-th. It prints its address as its only line.
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
		router.POST(fmt.Sprintf("/stream/%d/v1/chat/completions", i), relayer(client, provider+"/chat/completions"))
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
	address, stop, err := listenLocally(ctx, router)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, address); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in) // until the benchmark ends, however it ends
	return stop()
}

// forwarder posts a request's body to the provider and reads the answer; it answers failures itself.
func forwarder(client *http.Client, url string) func(*gin.Context) ([]byte, bool) {
	return func(c *gin.Context) ([]byte, bool) {
		response, err := call(c.Request.Context(), client, url, "", c.Request.Body, c.Request.ContentLength)
		if err == nil {
			defer response.Body.Close() //nolint:errcheck // it has been read
			var answer []byte
			if answer, err = io.ReadAll(response.Body); err == nil {
				return answer, true
			}
		}
		c.String(http.StatusBadGateway, err.Error())
		return nil, false
	}
}
