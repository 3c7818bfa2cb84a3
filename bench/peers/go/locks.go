package main

import (
	"runtime"
	"sync"
)

var guarded int

func uncontendedMutex() float64 {
	const rounds = 5000000
	var mutex sync.Mutex
	run := func(count int) {
		for n := 0; n < count; n++ {
			mutex.Lock()
			guarded++
			mutex.Unlock()
		}
	}
	run(rounds / 10)
	return nsPer(rounds, func() { run(rounds) })
}

// Nanoseconds for each turn with the lock; `between` runs while it is held.
func contend(count, rounds int, between func()) float64 {
	var mutex sync.Mutex
	run := func(rounds int) {
		var all sync.WaitGroup
		all.Add(count)
		for n := 0; n < count; n++ {
			go func() {
				for r := 0; r < rounds; r++ {
					mutex.Lock()
					guarded++
					between()
					mutex.Unlock()
				}
				all.Done()
			}()
		}
		all.Wait()
	}
	run(rounds / 10)
	return nsPer(count*rounds, func() { run(rounds) })
}

func mutexAcrossYield() float64 { return contend(100, 2000, runtime.Gosched) }

func contendedMutex() float64 { return contend(4, 250000, func() {}) }
