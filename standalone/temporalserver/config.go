package temporalserver

import (
	"net"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
)

const (
	// clusterName is written into every namespace; it can never change.
	clusterName = "active"
	// shards is fixed by the first start of a database. Four beat one by a third and equal sixteen on one machine.
	shards = 4

	mainStore       = "default"
	visibilityStore = "visibility"

	// Connections of each of the four services to each store.
	mainConns       = 20
	visibilityConns = 10
)

// serverConfig is the static configuration of all four services in one process.
func serverConfig(db *database, addrs addresses) *config.Config {
	return &config.Config{
		Global: config.Global{Membership: config.Membership{BroadcastAddress: loopback}},
		Persistence: config.Persistence{
			DefaultStore:     mainStore,
			VisibilityStore:  visibilityStore,
			NumHistoryShards: shards,
			DataStores: map[string]config.DataStore{
				mainStore:       {SQL: db.sqlConfig(mainDatabase, mainConns)},
				visibilityStore: {SQL: db.sqlConfig(visibilityDatabase, visibilityConns)},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
				Enabled: true, InitialFailoverVersion: 1, RPCAddress: addrs.frontend.dial(),
			}},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			string(primitives.FrontendService): service(addrs.frontend),
			string(primitives.HistoryService):  service(addrs.history),
			string(primitives.MatchingService): service(addrs.matching),
			string(primitives.WorkerService):   service(addrs.worker),
		},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		PublicClient: config.PublicClient{HostPort: addrs.frontend.dial()},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
}

func service(at address) config.Service {
	return config.Service{RPC: config.RPC{GRPCPort: at.port, BindOnIP: at.ip.String()}}
}

// staticHosts tell each service where the others are, in place of a gossip ring.
func staticHosts(cfg *config.Config) map[primitives.ServiceName]static.Hosts {
	hosts := make(map[primitives.ServiceName]static.Hosts, len(cfg.Services))
	for name, service := range cfg.Services {
		at := address{ip: net.ParseIP(service.RPC.BindOnIP), port: service.RPC.GRPCPort}
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(at.dial())
	}
	return hosts
}

// unlimited is a rate that one machine does not reach.
const unlimited = 1_000_000

// dynamicConfig holds the settings that measurements on one machine recommend; everything else keeps the server's default.
func dynamicConfig() dynamicconfig.Client {
	return dynamicconfig.StaticClient{
		// One partition a task queue: four leave tasks waiting for seconds where no poller looks.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// Limits protect a shared cluster. Here Holdfast's own admission protects the machine, and run.Get counts as a long
		// poll (namespaceCount), one a waiting request.
		dynamicconfig.FrontendRPS.Key():                                         unlimited,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                  unlimited,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():        1000,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key(): 100_000,
		dynamicconfig.MatchingRPS.Key():                                         unlimited,
		dynamicconfig.HistoryRPS.Key():                                          unlimited,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                           unlimited,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                           unlimited,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                            unlimited,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():                             unlimited,

		// Polls a second and shard. The default of 20 is a 50 ms step in every transfer; visibility can wait.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   200,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 5,

		// Workflows kept in memory, each some tens of kB.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 8096,
	}
}
