// What a program in Go uses of its system: many goroutines on few threads, their preemption by signals,
// timers, files, pipes, processes, sockets, memory that is collected.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Numbers go through a chain of a thousand goroutines.
func chain() {
	first := make(chan int)
	last := first
	for i := 0; i < 1000; i++ {
		next := make(chan int)
		go func(from, to chan int) {
			for n := range from {
				to <- n + 1
			}
			close(to)
		}(last, next)
		last = next
	}
	go func() {
		for i := 0; i < 20; i++ {
			first <- i
		}
		close(first)
	}()
	sum := 0
	for n := range last {
		sum += n
	}
	fmt.Println("chain", sum)
}

// Ten thousand goroutines count under a lock and without.
func counted() {
	var lock sync.Mutex
	var both sync.WaitGroup
	var atomically int64
	kept := map[int]int{}
	for i := 0; i < 10000; i++ {
		both.Add(1)
		go func(i int) {
			defer both.Done()
			atomic.AddInt64(&atomically, int64(i))
			runtime.Gosched()
			lock.Lock()
			kept[i%97]++
			lock.Unlock()
		}(i)
	}
	both.Wait()
	fmt.Println("counted", atomically, len(kept), kept[0], kept[96])
}

// A goroutine that never calls anything is interrupted by SIGURG, or the others would never run.
func preempted() {
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	var stop, turns int64
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		defer both.Done()
		n := uint64(1)
		for i := uint64(0); ; i++ {
			n = n*6364136223846793005 + i
			if n == 0 || atomic.LoadInt64(&stop) != 0 {
				return
			}
		}
	}()
	go func() {
		defer both.Done()
		for i := 0; i < 20; i++ {
			runtime.Gosched()
			atomic.AddInt64(&turns, 1)
		}
		atomic.StoreInt64(&stop, 1)
	}()
	both.Wait()
	fmt.Println("preempted", turns)
}

func signals() {
	got := make(chan os.Signal, 100)
	signal.Notify(got, syscall.SIGUSR1, syscall.SIGHUP)
	for i := 0; i < 50; i++ {
		check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
		fmt.Fprint(io.Discard, <-got)
	}
	check(syscall.Kill(os.Getpid(), syscall.SIGHUP))
	fmt.Println("signals", <-got)
	signal.Stop(got)
	signal.Ignore(syscall.SIGHUP)
	check(syscall.Kill(os.Getpid(), syscall.SIGHUP))
	limited, end := context.WithCancel(context.Background())
	sleeper := exec.CommandContext(limited, "sleep", "100")
	check(sleeper.Start())
	time.AfterFunc(20*time.Millisecond, end)
	fmt.Println("killed", sleeper.Wait(), limited.Err())
}

// Faults of memory become panics that can be recovered from.
func faults() {
	for _, what := range []func(){
		func() { var none *[10]int; none[3] = 1 },
		func() { zero := len(os.Args) - len(os.Args); fmt.Println(1 / zero) },
		func() { debug.SetPanicOnFault(true); var none *[1 << 30]byte; none[1<<29] = 1 },
	} {
		func() {
			defer func() { fmt.Println("recovered", recover()) }()
			what()
		}()
	}
}

func files() {
	folder, err := os.MkdirTemp("", "go")
	check(err)
	defer os.RemoveAll(folder)
	var both sync.WaitGroup
	for i := 0; i < 100; i++ {
		both.Add(1)
		go func(i int) {
			defer both.Done()
			place := filepath.Join(folder, fmt.Sprint("d", i%7))
			check(os.MkdirAll(place, 0o755))
			check(os.WriteFile(filepath.Join(place, fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, i*100), 0o600))
		}(i)
	}
	both.Wait()
	sum, count, size := sha256.New(), 0, int64(0)
	check(filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		check(err)
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			check(err)
			sum.Write(data)
			count, size = count+1, size+info.Size()
		}
		return nil
	}))
	fmt.Printf("files %d %d %x\n", count, size, sum.Sum(nil)[:8])
}

func processes() {
	var both sync.WaitGroup
	said := make([]string, 20)
	for i := range said {
		both.Add(1)
		go func(i int) {
			defer both.Done()
			child := exec.Command("sh", "-c", "read line; echo got $line; exit $(($line % 3))")
			child.Stdin = strings.NewReader(fmt.Sprintln(i))
			out, err := child.Output()
			said[i] = fmt.Sprintf("%s %v", bytes.TrimSpace(out), err)
		}(i)
	}
	both.Wait()
	fmt.Println(strings.Join(said, "; "))
}

// A hundred clients of a server on a socket, with a time limit that one of them meets.
func sockets() {
	folder, err := os.MkdirTemp("", "go")
	check(err)
	defer os.RemoveAll(folder)
	listener, err := net.Listen("unix", filepath.Join(folder, "socket"))
	check(err)
	go func() {
		for {
			conversation, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conversation.Close()
				lines := bufio.NewScanner(conversation)
				for lines.Scan() {
					fmt.Fprintln(conversation, strings.ToUpper(lines.Text()))
				}
			}()
		}
	}()
	var both sync.WaitGroup
	var total int64
	for i := 0; i < 100; i++ {
		both.Add(1)
		go func(i int) {
			defer both.Done()
			conversation, err := net.Dial("unix", listener.Addr().String())
			check(err)
			defer conversation.Close()
			answers := bufio.NewReader(conversation)
			for n := 0; n < 10; n++ {
				fmt.Fprintf(conversation, "client %d says %d\n", i, n)
				line, err := answers.ReadString('\n')
				check(err)
				if line != fmt.Sprintf("CLIENT %d SAYS %d\n", i, n) {
					panic(line)
				}
				atomic.AddInt64(&total, 1)
			}
		}(i)
	}
	both.Wait()
	silent, err := net.Dial("unix", listener.Addr().String())
	check(err)
	check(silent.SetReadDeadline(time.Now().Add(20 * time.Millisecond)))
	_, err = silent.Read(make([]byte, 1))
	late, _ := err.(net.Error)
	fmt.Println("sockets", total, late != nil && late.Timeout())
	silent.Close()
	listener.Close()
}

func timers() {
	ends := make(chan int, 200)
	begun := time.Now()
	for i := 0; i < 200; i++ {
		i := i
		time.AfterFunc(time.Duration(i%10)*5*time.Millisecond, func() { ends <- i })
	}
	var all []int
	for len(all) < 200 {
		all = append(all, <-ends)
	}
	sort.Ints(all)
	ticks, ticker := 0, time.NewTicker(2*time.Millisecond)
	for range ticker.C {
		if ticks++; ticks == 20 {
			break
		}
	}
	ticker.Stop()
	fmt.Println("timers", all[0], all[199], ticks, time.Since(begun) >= 40*time.Millisecond)
}

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func (t *tree) size() int {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.size() + t.right.size()
}

// Memory is made by all at once and collected beside them.
func collected() {
	debug.SetGCPercent(20)
	sizes := make(chan int)
	for i := 0; i < 8; i++ {
		go func() {
			sum := 0
			for n := 0; n < 20; n++ {
				sum += grow(10).size()
			}
			sizes <- sum
		}()
	}
	sum := 0
	for i := 0; i < 8; i++ {
		sum += <-sizes
	}
	var state runtime.MemStats
	runtime.ReadMemStats(&state)
	debug.FreeOSMemory()
	fmt.Println("collected", sum, state.NumGC > 3)
}

func data() {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	check(json.NewEncoder(writer).Encode(map[string]any{"numbers": make([]int, 10000), "name": "go"}))
	check(writer.Close())
	fmt.Printf("data %d %x\n", packed.Len(), sha256.Sum256(packed.Bytes()))
}

func main() {
	for _, one := range []func(){chain, counted, preempted, signals, faults, files, processes, sockets, timers,
		collected, data} {
		one()
	}
	go func() { panic("nobody recovers this") }()
	select {}
}
