// The Go side of the figures of `./dev bench fibers`: `weft_bench_go_peer NAME` measures one and prints
// it in the unit of its row. The number of threads comes from GOMAXPROCS. Standard library only.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

var figures = map[string]func() float64{
	"spawn_join":          spawnAndJoin,
	"spawn_wait_warm":     spawnThatWaitsWarm,
	"spawn_wait_cold":     spawnThatWaitsCold,
	"yield_2":             func() float64 { return yieldBetween(2, 1000000) },
	"yield_1000":          func() float64 { return yieldBetween(1000, 1000000) },
	"ping_pong":           pingPong,
	"channel_128":         func() float64 { return oneWay(1, 1, 1000000) },
	"channel_4p4c":        func() float64 { return oneWay(4, 4, 1000000) },
	"select_4":            selectOneReady,
	"mutex":               uncontendedMutex,
	"mutex_yield":         mutexAcrossYield,
	"mutex_contended":     contendedMutex,
	"parked_100k":         func() float64 { return parkedBytes(100000) },
	"parked_1m":           func() float64 { return parkedBytes(1000000) },
	"unstarted":           unstartedBytes,
	"sleepers_cold":       func() float64 { return sleepers(1) },
	"sleepers_warm":       func() float64 { return sleepers(2) },
	"timer_insert_cancel": timerInsertAndCancel,
	"timer_cancel_random": timerCancelRandom,
	"timer_fire":          timerFire,
	"skynet":              skynetMilliseconds,
	"fib":                 fibPerTask,
}

// Nanoseconds for each of the operations that work does: of CPU time on one thread, so that what others
// take of a busy machine does not count, else of the time that passes.
func nsPer(operations int, work func()) float64 {
	if runtime.GOMAXPROCS(0) == 1 {
		before := cpuSeconds()
		work()
		return (cpuSeconds() - before) * 1e9 / float64(operations)
	}
	start := time.Now()
	work()
	return float64(time.Since(start).Nanoseconds()) / float64(operations)
}

func main() {
	if len(os.Args) != 2 || figures[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: weft_bench_go_peer NAME; the names are in main.go")
		os.Exit(2)
	}
	fmt.Println(figures[os.Args[1]]())
}
