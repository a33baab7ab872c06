package mint

import (
	"net"
	"net/url"
	"strings"
)

// problemOf says why secrets may not be sent to an address; empty if they may. On the loopback interface nobody listens in.
func problemOf(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return "is no address"
	case u.User != nil:
		return "holds a user or a password: secrets belong into the vault"
	case u.Fragment != "":
		return "ends with a fragment, which is not sent"
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	default:
		return "is no https address"
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
