// Package doctest checks what is written beside the code against the code: the documents' links, names, tables, commands and
// configuration, the compose file and the Dockerfile. All of it is in tests; nothing imports this package.
package doctest
