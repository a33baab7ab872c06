// Package pgtest gives each test a real, migrated PostgreSQL database of its own.
//
// The test process starts one server for all its tests, on first use, and migrates one template database; each call clones
// the template (a few tens of milliseconds) and drops the clone when the test ends. Let TestMain call [Main], which stops the
// server and removes its files; without it the server still ends with the process, and the next run removes the files.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestAppend(t *testing.T) {
//		t.Parallel()
//		store := conversations.NewStore(pgtest.New(t))
//
// Durability is off for speed. A test of what a crash loses says so: see [Server].
package pgtest
