package relay

// Token is what a process proves itself by.
var Token = token
