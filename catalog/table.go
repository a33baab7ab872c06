package catalog

import (
	_ "embed" // for models.csv
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

//go:embed models.csv
var modelsCSV string

// columns are those of models.csv, in their order.
const columns = "provider,model,input_usd_per_1m,output_usd_per_1m,cache_read_usd_per_1m,cache_write_usd_per_1m," +
	"context_window,max_output_tokens,reasons,accepts_images"

// rows is the built-in table, read once. That it can be read is shown by a test.
//
//nolint:gochecknoglobals // a constant that has to be parsed
var rows = sync.OnceValue(func() []row {
	parsed, err := parse(modelsCSV)
	if err != nil {
		panic("catalog: " + err.Error())
	}
	return parsed
})

func parse(text string) ([]row, error) {
	reader := csv.NewReader(strings.NewReader(text))
	var parsed []row
	for line := 1; ; line++ {
		fields, err := reader.Read()
		switch {
		case err == io.EOF && line > 1: //nolint:errorlint // a reader's end comes bare
			return parsed, nil
		case err != nil:
			return nil, err
		case line == 1:
			if strings.Join(fields, ",") != columns {
				return nil, fmt.Errorf("models.csv: the columns are not %s", columns)
			}
			continue
		}
		r, err := parseRow(fields)
		if err != nil {
			return nil, fmt.Errorf("models.csv:%d: %w", line, err)
		}
		parsed = append(parsed, r)
	}
}

func parseRow(fields []string) (row, error) {
	r := row{provider: fields[0], model: fields[1], name: read(fields[1])}
	if r.provider == "" || r.model == "" {
		return row{}, fmt.Errorf("names no provider or no model")
	}
	for i, price := range []**int64{&r.InputPrice, &r.OutputPrice, &r.CacheReadPrice, &r.CacheWritePrice} {
		if text := fields[2+i]; text != "" {
			value, err := Price(text, perMillion)
			if err != nil {
				return row{}, err
			}
			*price = &value
		}
	}
	for i, count := range []*int64{&r.ContextWindow, &r.MaxOutput} {
		if text := fields[6+i]; text != "" {
			value, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return row{}, err
			}
			*count = value
		}
	}
	for i, fact := range []**bool{&r.Reasons, &r.Images} {
		switch text := fields[8+i]; text {
		case "":
		case "yes", "no":
			value := text == "yes"
			*fact = &value
		default:
			return row{}, fmt.Errorf("%q is neither yes nor no", text)
		}
	}
	return r, nil
}
