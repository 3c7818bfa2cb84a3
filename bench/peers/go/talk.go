package main

import (
	"runtime"
	"sync"
)

func yieldBetween(count, yields int) float64 {
	run := func(rounds int) {
		var all sync.WaitGroup
		all.Add(count)
		for n := 0; n < count; n++ {
			go func() {
				for r := 0; r < rounds; r++ {
					runtime.Gosched()
				}
				all.Done()
			}()
		}
		all.Wait()
	}
	run(yields / count / 10)
	return nsPer(yields, func() { run(yields / count) })
}

func pingPong() float64 {
	const rounds = 250000
	there, back := make(chan int, 1), make(chan int, 1)
	go func() {
		for value := range there {
			back <- value
		}
		close(back)
	}()
	run := func(count int) {
		for n := 0; n < count; n++ {
			there <- n
			<-back
		}
	}
	run(rounds / 10)
	ns := nsPer(2*rounds, func() { run(rounds) })
	close(there)
	return ns
}

// Nanoseconds for a message through a channel that holds 128.
func oneWay(producers, consumers, messages int) float64 {
	run := func(count int) {
		through := make(chan int, 128)
		var senders, receivers sync.WaitGroup
		senders.Add(producers)
		receivers.Add(consumers)
		for n := 0; n < producers; n++ {
			go func() {
				for m := 0; m < count/producers; m++ {
					through <- m
				}
				senders.Done()
			}()
		}
		for n := 0; n < consumers; n++ {
			go func() {
				for range through {
				}
				receivers.Done()
			}()
		}
		senders.Wait()
		close(through)
		receivers.Wait()
	}
	run(messages / 10)
	return nsPer(messages, func() { run(messages) })
}

// Nanoseconds for a select over four channels of which one, another each time, is ready.
func selectOneReady() float64 {
	const rounds = 1000000
	var of [4]chan int
	for n := range of {
		of[n] = make(chan int, 1)
	}
	sum := 0
	run := func(count int) {
		for n := 0; n < count; n++ {
			of[n%4] <- n
			select {
			case value := <-of[0]:
				sum += value
			case value := <-of[1]:
				sum += value
			case value := <-of[2]:
				sum += value
			case value := <-of[3]:
				sum += value
			}
		}
	}
	run(rounds / 10)
	return nsPer(rounds, func() { run(rounds) })
}
