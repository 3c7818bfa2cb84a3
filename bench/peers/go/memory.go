package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		panic(err)
	}
	return float64(pages * os.Getpagesize())
}

func parkedBytes(count int) float64 {
	debug.FreeOSMemory()
	before := residentBytes()
	gate := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(count)
	for n := 0; n < count; n++ {
		go func() {
			waiting.Done()
			<-gate
		}()
	}
	waiting.Wait()
	return (residentBytes() - before) / float64(count)
}

// A goroutine has its stack from the beginning; whether it has started makes no difference.
func unstartedBytes() float64 {
	const count = 1000000
	debug.FreeOSMemory()
	before := residentBytes()
	gate := make(chan struct{})
	for n := 0; n < count; n++ {
		go func() { <-gate }()
	}
	return (residentBytes() - before) / count
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)*1e-6 }
	return seconds(used.Utime) + seconds(used.Stime)
}
