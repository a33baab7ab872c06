package temporaltest_test

import (
	"os"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/temporaltest"
)

func TestMain(m *testing.M) { os.Exit(temporaltest.Main(m)) }
