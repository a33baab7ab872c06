package temporalserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is the Web UI of this server.
type webUI struct {
	server *uiserver.Server
	done   chan struct{}
}

// startUI serves the Web UI and waits until it answers. It asks nobody for news of new versions.
func startUI(ctx context.Context, at address, frontend, namespace string) (*webUI, error) {
	ui := &webUI{
		server: uiserver.NewServer(server_options.WithConfigProvider(&uiconfig.Config{
			TemporalGRPCAddress:         frontend,
			Host:                        at.ip.String(),
			Port:                        at.port,
			EnableUI:                    true,
			DefaultNamespace:            namespace,
			ShowTemporalSystemNamespace: true,
			DisableNewsFetch:            true,
			HideLogs:                    true, // one line a request on standard output otherwise
			// Plain HTTP: a browser would not send the cookie back, and every button would fail.
			CORS: uiconfig.CORS{CookieInsecure: true},
		})),
		done: make(chan struct{}),
	}
	go func() {
		defer close(ui.done)
		_ = ui.server.Start() // blocks until stop; reserve has made sure that it can listen
	}()
	if err := ui.await(ctx, "http://"+at.dial()+"/healthz"); err != nil {
		ui.stop()
		return nil, err
	}
	return ui, nil
}

// await asks until the UI answers.
func (u *webUI) await(ctx context.Context, url string) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("start Web UI: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("start Web UI: %w", context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

func (u *webUI) stop() {
	u.server.Stop()
	<-u.done
}
