package main

import (
	"math/rand"
	"runtime"
	"sync"
	"time"
)

// Microseconds of CPU for each of 100,000 goroutines that sleep 1 to 2 s once; that of the last round.
func sleepers(rounds int) float64 {
	const count = 100000
	used := 0.0
	for ; rounds > 0; rounds-- {
		before := cpuSeconds()
		var all sync.WaitGroup
		all.Add(count)
		for n := 0; n < count; n++ {
			go func(milliseconds int) {
				time.Sleep(time.Duration(milliseconds) * time.Millisecond)
				all.Done()
			}(1000 + n*7919%1000)
		}
		all.Wait()
		used = (cpuSeconds() - before) * 1e6 / count
	}
	return used
}

const live = 1000000

// A million timers, an hour and up to another second away.
func armMillion() []*time.Timer {
	timers := make([]*time.Timer, live)
	for n := range timers {
		timers[n] = time.AfterFunc(time.Hour+time.Duration(rand.Intn(1000))*time.Millisecond, func() {})
	}
	return timers
}

func timerInsertAndCancel() float64 {
	const rounds = 1000000
	timers := armMillion()
	ns := nsPer(rounds, func() {
		for n := 0; n < rounds; n++ {
			after := 30*time.Second + time.Duration(n*7919%1000)*time.Millisecond
			time.AfterFunc(after, func() {}).Stop()
		}
	})
	runtime.KeepAlive(timers)
	return ns
}

// Stop only marks a timer; the Gosched at the end lets the scheduler take them out.
func timerCancelRandom() float64 {
	timers := armMillion()
	return nsPer(live, func() {
		for n := 0; n < live; n++ {
			timers[n*7919%live].Stop()
		}
		runtime.Gosched()
	})
}

// Arms many that are due in a millisecond, and waits for the last of them.
func timerFire() float64 {
	const batch = 10000
	const batches = 20
	oneBatch := func() {
		var ticks sync.WaitGroup
		ticks.Add(batch)
		for n := 0; n < batch; n++ {
			time.AfterFunc(time.Millisecond, func() { ticks.Done() })
		}
		ticks.Wait()
	}
	oneBatch()
	return nsPer(batch*batches, func() {
		for n := 0; n < batches; n++ {
			oneBatch()
		}
	})
}
