package main

import (
	"fmt"
	"sync"
)

func skynet(answer chan int, number, size int) {
	if size == 1 {
		answer <- number
		return
	}
	below := make(chan int, 10)
	for n := 0; n < 10; n++ {
		go skynet(below, number+n*(size/10), size/10)
	}
	sum := 0
	for n := 0; n < 10; n++ {
		sum += <-below
	}
	answer <- sum
}

// Milliseconds for a tree of a million leaves, ten below each node.
func skynetMilliseconds() float64 {
	const leaves = 1000000
	answer := make(chan int)
	ask := func() {
		go skynet(answer, 0, leaves)
		if sum := <-answer; sum != leaves/2*(leaves-1) {
			panic(fmt.Sprint("skynet gave ", sum))
		}
	}
	ask()
	return nsPer(1000000, ask)
}

// Nanoseconds for a task: one branch is forked, the other is called, then they are joined.
func fib(n int, tasks *int) int {
	if n < 2 {
		return n
	}
	*tasks++
	left := 0
	var forked sync.WaitGroup
	forked.Add(1)
	go func() {
		left = fib(n-1, tasks)
		forked.Done()
	}()
	right := fib(n-2, tasks)
	forked.Wait()
	return left + right
}

func fibPerTask() float64 {
	tasks := 0
	ask := func() {
		if got := fib(20, &tasks); got != 6765 {
			panic(fmt.Sprint("fib gave ", got))
		}
	}
	ask()
	tasks = 0
	ns := nsPer(1, func() {
		for n := 0; n < 20; n++ {
			ask()
		}
	})
	return ns / float64(tasks)
}
