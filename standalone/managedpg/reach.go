package managedpg

// CheckReach says whether the user that would run the server can reach a data directory below dir, which must exist. The
// error names the directory in the way; it can only come for a process that is root.
func CheckReach(dir string) error {
	as, err := serverAccount(dir)
	if err != nil {
		return err
	}
	return as.checkReach(dir)
}
