package keys

// The keepers that a URL may name, each by its scheme: awskms, azurekeyvault, gcpkms, hashivault. Importing them registers
// them with gocloud.dev/secrets.
import (
	_ "gocloud.dev/secrets/awskms"
	_ "gocloud.dev/secrets/azurekeyvault"
	_ "gocloud.dev/secrets/gcpkms"
	_ "gocloud.dev/secrets/hashivault"
)
