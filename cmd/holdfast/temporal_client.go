package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	temporallog "go.temporal.io/sdk/log"
)

// dialTemporal connects to the given address, or, if it is empty, to what Temporal's own environment convention names.
func dialTemporal(ctx context.Context, address string, logger *slog.Logger) (client.Client, error) {
	options := client.Options{HostPort: address}
	if address == "" {
		var err error
		if options, err = envconfig.LoadDefaultClientOptions(); err != nil {
			return nil, fmt.Errorf("reading Temporal's settings from the environment: %w", err)
		}
	}
	// A failed provider call is an activity error to the SDK; the activity has logged it already, with its decision.
	quiet := without(atLeast(logger.Handler(), slog.LevelWarn), "Activity error.")
	options.Logger = temporallog.NewStructuredLogger(slog.New(quiet))
	// On a loopback or a data centre's network, compression costs more than it saves: 11 to 24 % of the server's CPU.
	options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connecting to Temporal at %s: %w", orDefault(options.HostPort, client.DefaultHostPort), err)
	}
	return c, nil
}

// externalTemporal says whether the environment names a Temporal cluster.
func externalTemporal() bool {
	return os.Getenv("TEMPORAL_ADDRESS") != "" || os.Getenv("TEMPORAL_PROFILE") != "" || os.Getenv("TEMPORAL_CONFIG_FILE") != ""
}

func temporalNamespace() string {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return client.DefaultNamespace
	}
	return orDefault(options.Namespace, client.DefaultNamespace)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
