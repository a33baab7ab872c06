package catalog

import (
	"errors"
	"math/big"
	"regexp"
)

// perMillion is how many tokens a vendor's price is for; LiteLLM's are for one.
const perMillion = 1_000_000

// decimal bounds what is taken for a price, its exponent too: 1e999999999 is short to write and long to hold.
var decimal = regexp.MustCompile(`^([0-9]{1,12}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?$`)

// Price reads the decimal number of US dollars that so many tokens cost, as millionths of a dollar for a million tokens. It is
// exact: a price that is no whole number of them is an error, as is one that is no number at all.
func Price(dollars string, tokens int64) (int64, error) {
	value := new(big.Rat)
	if !decimal.MatchString(dollars) {
		return 0, errors.New("must be a number of US dollars, such as 0.0000025 or 2.5e-06")
	}
	if _, ok := value.SetString(dollars); !ok {
		return 0, errors.New("must be a number of US dollars, such as 0.0000025 or 2.5e-06")
	}
	value.Mul(value, big.NewRat(1_000_000*perMillion, tokens))
	if !value.IsInt() {
		return 0, errors.New("is finer than a millionth of a US dollar for a million tokens")
	}
	if !value.Num().IsInt64() {
		return 0, errors.New("is too large")
	}
	return value.Num().Int64(), nil
}
