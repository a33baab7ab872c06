package alerts_test

import (
	"os"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
