package keys

import (
	"context"
	"fmt"
)

// Wrap has the vault's keeper encrypt a data key, and names the keeper.
func (v *Vault) Wrap(ctx context.Context, dataKey []byte) (wrapped []byte, keeper string, err error) {
	wrapped, err = v.keeper.Encrypt(ctx, dataKey)
	if err != nil {
		return nil, "", fmt.Errorf("wrap data key: %w", err)
	}
	return wrapped, v.keeper.id, nil
}

// Unwrap is the inverse of [Vault.Wrap], for a data key that this keeper or a former one protects.
func (v *Vault) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	dataKey, err := v.keeper.Decrypt(ctx, wrapped)
	for _, former := range v.former {
		if err == nil {
			break
		}
		dataKey, err = former.Decrypt(ctx, wrapped)
	}
	if err != nil {
		return nil, fmt.Errorf("unwrap data key: %w", err)
	}
	return dataKey, nil
}
