package managedpg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// parentMode is for directories made above the data directory: others may pass through them but not list them, which is
// what the unprivileged user of the server needs.
const parentMode = 0o711

// account is the system user that the server runs as. Zero means the user of this process.
type account struct {
	name     string
	uid, gid uint32
	switched bool // this process is root and hands over to uid
}

// serverAccount picks the user: this process's own, or, since PostgreSQL refuses to run as root, the owner of an existing
// data directory, else "postgres", else "nobody".
func serverAccount(dataDir string) (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return account{name: strconv.Itoa(uid), uid: uint32(uid), gid: uint32(os.Getegid())}, nil //nolint:gosec // ids fit
	}
	if info, err := os.Stat(dataDir); err == nil {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			return account{name: strconv.FormatUint(uint64(stat.Uid), 10), uid: stat.Uid, gid: stat.Gid, switched: true}, nil
		}
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if uidErr != nil || gidErr != nil || uid == 0 {
			continue
		}
		return account{name: name, uid: uint32(uid), gid: uint32(gid), switched: true}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody")
}

// credential is what a child process is started with; nil keeps the user of this process.
func (a account) credential() *syscall.Credential {
	if !a.switched {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own gives path, and all below it, to the account.
func (a account) own(path string) error {
	if !a.switched {
		return nil
	}
	err := filepath.WalkDir(path, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, int(a.uid), int(a.gid)) //nolint:gosec // a directory that only this process has touched
	})
	if err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, a.name, err)
	}
	return nil
}

// checkReach says which directory on the way to path the account cannot pass through. Without this the server dies with
// "Permission denied" and no hint which of the parents is meant.
func (a account) checkReach(path string) error {
	if !a.switched {
		return nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", path, err)
	}
	for dir := real; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("check directory: %w", err)
		}
		if !a.mayEnter(info) {
			return fmt.Errorf("user %s, which runs PostgreSQL because this process is root, cannot enter %s (mode %04o): "+
				"run chmod o+x on it, or choose a data directory elsewhere", a.name, dir, info.Mode().Perm())
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// mayEnter applies the classic permission bits: owner, else group, else others. Supplementary groups are not given to the
// child, so they do not count.
func (a account) mayEnter(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	perm := info.Mode().Perm()
	switch {
	case stat.Uid == a.uid:
		return perm&0o100 != 0
	case stat.Gid == a.gid:
		return perm&0o010 != 0
	default:
		return perm&0o001 != 0
	}
}
