package temporalserver

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	operatorservicepb "go.temporal.io/api/operatorservice/v1"
	workflowservicepb "go.temporal.io/api/workflowservice/v1"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

// createNamespace writes the namespace, with its search attributes, straight into the database, so that it exists when the
// server loads its caches. On a namespace that exists it does nothing: see [reconcileNamespace]. The library's package is
// named for SQLite but speaks to whichever plugin the configuration names.
func createNamespace(db *database, cfg Config) error {
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, cfg.Namespace, false, cfg.SearchAttributes)
	if err != nil {
		return fmt.Errorf("define namespace %s: %w", cfg.Namespace, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(cfg.Retention)
	if err := sqliteschema.CreateNamespaces(db.sqlConfig(mainDatabase, 1), namespace); err != nil {
		return fmt.Errorf("create namespace %s: %w", cfg.Namespace, err)
	}
	return nil
}

// reconcileNamespace waits until the running server knows the namespace, then adds what an older start did not: search
// attributes, another retention.
func reconcileNamespace(ctx context.Context, frontend string, cfg Config, failed <-chan struct{}) error {
	conn, err := grpc.NewClient(frontend, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to temporal server: %w", err)
	}
	defer conn.Close() //nolint:errcheck // nothing is pending
	workflows, operator := workflowservicepb.NewWorkflowServiceClient(conn), operatorservicepb.NewOperatorServiceClient(conn)

	current, err := awaitNamespace(ctx, workflows, cfg.Namespace, failed)
	if err != nil {
		return err
	}
	if current.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() != cfg.Retention {
		_, err := workflows.UpdateNamespace(ctx, &workflowservicepb.UpdateNamespaceRequest{
			Namespace: cfg.Namespace,
			Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(cfg.Retention)},
		})
		if err != nil {
			return fmt.Errorf("set retention of namespace %s: %w", cfg.Namespace, err)
		}
	}
	return addSearchAttributes(ctx, operator, cfg)
}

// awaitNamespace asks until the frontend answers.
func awaitNamespace(
	ctx context.Context, client workflowservicepb.WorkflowServiceClient, name string, failed <-chan struct{},
) (*workflowservicepb.DescribeNamespaceResponse, error) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		response, err := client.DescribeNamespace(attempt, &workflowservicepb.DescribeNamespaceRequest{Namespace: name})
		cancel()
		if err == nil {
			return response, nil
		}
		select {
		case <-failed:
			return nil, fmt.Errorf("wait for temporal server: it failed to start: %w", err)
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for temporal server: %w", err)
		case <-ticker.C:
		}
	}
}

// addSearchAttributes adds the attributes that are missing. A type cannot be changed, so another type is an error.
func addSearchAttributes(ctx context.Context, operator operatorservicepb.OperatorServiceClient, cfg Config) error {
	if len(cfg.SearchAttributes) == 0 {
		return nil
	}
	listed, err := operator.ListSearchAttributes(ctx, &operatorservicepb.ListSearchAttributesRequest{Namespace: cfg.Namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := make(map[string]enumspb.IndexedValueType)
	for name, want := range cfg.SearchAttributes {
		switch have, ok := listed.GetCustomAttributes()[name]; {
		case !ok:
			missing[name] = want
		case have != want:
			return fmt.Errorf("search attribute %s exists with type %s, not %s", name, have, want)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservicepb.AddSearchAttributesRequest{
		Namespace: cfg.Namespace, SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("add search attributes: %w", err)
	}
	return nil
}
