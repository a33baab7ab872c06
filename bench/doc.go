// Package bench measures what a completion costs on the machine at hand, beside the floors that bound it: the provider
// called directly, a plain proxy, a proxy that writes one row, and bare workflows on the same Temporal server. Everything is
// measured in one run, floors and Holdfast in turn, for numbers of two days, or of two machines, cannot be compared.
//
// What is measured runs in processes of its own: an instance of Holdfast as 'holdfast up' starts it, the simulated
// providers, the proxies, and the driver of the bare workflows. The failover section, which measures Holdfast against itself,
// has a second instance, whose breakers never open. The load generator is the calling process.
package bench
