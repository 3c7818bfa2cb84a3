package main

import (
	"runtime"
	"sync"
)

const batch = 1000

func spawnBatch() {
	var all sync.WaitGroup
	all.Add(batch)
	for n := 0; n < batch; n++ {
		go func() { all.Done() }()
	}
	all.Wait()
}

func spawnAndJoin() float64 {
	const batches = 200
	spawnBatch()
	return nsPer(batch*batches, func() {
		for n := 0; n < batches; n++ {
			spawnBatch()
		}
	})
}

// Nanoseconds for each goroutine from its start until all of them wait; their end is not counted.
func spawnThatWaits(count int) float64 {
	gate := make(chan struct{})
	var waiting, all sync.WaitGroup
	waiting.Add(count)
	all.Add(count)
	ns := nsPer(count, func() {
		for n := 0; n < count; n++ {
			go func() {
				waiting.Done()
				<-gate
				all.Done()
			}()
		}
		waiting.Wait()
		runtime.Gosched() // the last one is in its wait now
	})
	close(gate)
	all.Wait()
	return ns
}

func spawnThatWaitsWarm() float64 {
	const batches = 200
	spawnThatWaits(batch)
	sum := 0.0
	for n := 0; n < batches; n++ {
		sum += spawnThatWaits(batch)
	}
	return sum / batches
}

func spawnThatWaitsCold() float64 { return spawnThatWaits(100000) }
