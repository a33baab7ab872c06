package webhook

import (
	"net"
	"net/url"
)

// CheckAddress says what is wrong with an address that alerts are posted to; empty if nothing is. Alerts go in clear inside the own
// machine only, unless the address is no secret.
func CheckAddress(address string, secret bool) (reason string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		return "is no URL that begins with https:// or http://"
	case u.Scheme == "http" && secret && !isLoopback(u.Hostname()):
		return "must begin with https://, for it is a secret"
	case u.User != nil && !secret:
		return "must not hold a user name or password"
	case (u.RawQuery != "" || u.ForceQuery || u.Fragment != "") && !secret:
		return "must not have a query or fragment, which may be a secret"
	}
	return ""
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
