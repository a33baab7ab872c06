// Package routing joins the configuration, the vault and the provider adapters: it knows which deployments a route names,
// whether each can be used now, and how to call it. The activities use it through an interface of their own.
package routing
