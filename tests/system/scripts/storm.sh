# Does the same things again and again, each in a folder of its own and all at the same time, and
# compares what they write with what they wrote the first time: 'storm.sh learn' does each once and
# keeps that, 'storm.sh SECONDS' repeats them for so long, once at least. Says what differed; the last line is how
# often each was done. Between them they call objects of every class that can be swapped.
# $HOST is a folder of the host, $DISK a disk of 8 MiB.

text() {
    seq 4000 > numbers; sort -rn numbers | tee copy | md5sum; wc -lc copy; rm numbers copy
    mkfifo fifo; seq 2000 > fifo & tac fifo | md5sum; wait; rm fifo
    bash -c 'trap "echo told" USR1; kill -USR1 $$; :'
    { echo x > missing/file; } 2>/dev/null || echo refused
}

tree() {
    mkdir -p a/b/c; for n in $(seq 40); do echo $n > a/b/file$n; ln -s ../file$n a/b/c/link$n; done
    mv a/b a/d; find . | sort | md5sum; tar cf - --mtime=@0 --sort=name a | md5sum; rm -r a
    find /usr/share /dev | sort | md5sum
}

base() {
    rm -f base*
    sqlite3 base 'pragma journal_mode=wal; create table t (n integer primary key, x text);
        with recursive c(x) as (select 1 union all select x + 1 from c where x < 3000)
        insert into t select x, x * 7919 % 1000 from c; create index by_x on t (x);
        delete from t where n % 3 = 0; vacuum; select count(*), sum(n) from t; pragma integrity_check'
    sqlite3 base 'select max(n) from t'
}

mail() {
    printf 'set location %s\nset number 60\nset transactions 300\nset size 500 9000\nrun\nquit\n' . |
        postmark | grep -E 'created|deleted|read|appended|written' | sed 's/ (.*//'
    ls | wc -l
}

threads() {
    python3 -c '
import os, queue, select, signal, threading, time
todo, done = queue.Queue(3), []
def work():
    while (n := todo.get()) is not None:
        done.append(n * n)
workers = [threading.Thread(target=work) for _ in range(4)]
for one in workers: one.start()
for n in range(400): todo.put(n)
for one in workers: todo.put(None)
for one in workers: one.join()
print(sum(done))
rung = []
signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
while len(rung) < 5: time.sleep(0.01)
signal.setitimer(signal.ITIMER_REAL, 0)
r, w = os.pipe()
if not os.fork():
    time.sleep(0.005); os.write(w, b"word"); os._exit(0)
print(select.select([r], [], [], 60)[0] == [r], os.read(r, 9)); os.wait()
'
}

host() {
    place=$HOST/$part; mkdir -p $place
    seq 20000 > $place/file; md5sum < $place/file; cp $place/file $place/copy; cmp $place/file $place/copy
    ls $place; ls -l $HOST | wc -l > /dev/null; md5sum < $HOST/large; grep -c 77 $place/copy; rm -r $place
}

disk() {
    seq 9000 | dd of=$DISK bs=4k seek=1024 conv=notrunc,fsync iflag=fullblock 2>&-
    dd if=$DISK bs=64k 2>&- | md5sum
}

devices() {
    stty -F /dev/console -a | wc -l; printf '' > /dev/console
    head -c 300000 /dev/zero | md5sum; head -c 70000 /dev/urandom | wc -c
    echo x > /dev/null; { echo x > /dev/full; } 2>&- || echo full
    [ $(cat /proc/[0-9]*/stat 2>&- | wc -l) -gt 4 ] && echo some
    cat /proc/self/maps /proc/self/status | grep -c -e stack -e Name; ls /proc/self/fd | wc -l
    k42ctl classes | grep -c '^process.linux'
}

talk() {
    python3 -c '
import array, os, socket, threading
name, total = "./socket", []
server = socket.socket(socket.AF_UNIX)
server.bind(name), server.listen(2)
def serve():
    for n in range(30):
        with server.accept()[0] as one:
            said, files, _, _ = socket.recv_fds(one, 9, 4)
            for fd in files: os.write(fd, said), os.close(fd)
            one.sendall(said * 20000)
def call():
    for n in range(10):
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(name)
            r, w = os.pipe()
            socket.send_fds(one, [b"word"], [w]), os.close(w)
            got = 0
            while more := one.recv(50000): got += len(more)
            total.append((os.read(r, 9), got)), os.close(r)
threads = [threading.Thread(target=work) for work in (serve, call, call, call)]
for one in threads: one.start()
for one in threads: one.join()
print(len(total), set(total)), os.unlink(name)
for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    for n in range(300): a.send(b"%d" % n), b.recv(9)
    print(a.send(b"last"), b.recv(9))
'
}

held() {
    python3 -c '
import mmap, os, select, socket, time
pairs = [socket.socketpair(socket.AF_UNIX, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)]
oneself = os.pidfd_open(os.getpid())
files = [os.open(name, how) for name, how in (("/dev/zero", os.O_RDONLY), ("/dev/full", os.O_RDWR),
         ("/dev/urandom", os.O_RDONLY), ("/usr", os.O_PATH), ("/usr", os.O_RDONLY),
         ("/proc/self/status", os.O_RDONLY), ("/dev/k42", os.O_RDWR), ("/dev/kmsg", os.O_RDONLY))]
shared, total = mmap.mmap(-1, 1 << 20), 0
end = time.monotonic() + 2
while time.monotonic() < end:
    total += len(os.read(files[0], 5000)) + len(os.read(files[2], 50))
    os.lseek(files[5], 0, 0), os.read(files[5], 100), os.fstat(files[3]), os.listdir(files[4])
    shared[(total * 4096) % (1 << 20)] = 7
    for a, b in pairs: a.send(b"word"), b.recv(9)
    select.select([oneself], [], [], 0)
    time.sleep(0.001)
print(total % 5050)
'
}

events() {
    python3 -c '
import ctypes, os, select, signal, struct, time
libc = ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
counter, timer = os.eventfd(0, os.EFD_NONBLOCK), libc.timerfd_create(time.CLOCK_MONOTONIC, 0)
mask = ctypes.c_uint64(1 << signal.SIGUSR1 - 1)
signals = libc.syscall(289, -1, ctypes.byref(mask), 8, 0)
libc.timerfd_settime(timer, 0, struct.pack("4q", 0, 1000000, 0, 1000000), None)
inner, outer = select.epoll(), select.epoll()
inner.register(counter, select.EPOLLIN | select.EPOLLET), inner.register(timer, select.EPOLLIN)
inner.register(signals, select.EPOLLIN), outer.register(inner, select.EPOLLIN)
seen, end = {}, time.monotonic() + 2
while time.monotonic() < end or len(seen) < 3:
    os.eventfd_write(counter, 2), os.kill(os.getpid(), signal.SIGUSR1)
    assert outer.poll(60) == [(inner.fileno(), select.EPOLLIN)]
    for fd, events in inner.poll(60):
        seen[fd] = len(os.read(fd, 128))
    r, w = os.pipe()
    inner.register(r, select.EPOLLIN), os.close(r), os.close(w)
    time.sleep(0.001)
print(seen[counter], seen[timer], seen[signals])
'
}

ipc() {
    python3 -c '
import ctypes, os, signal, struct, time
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
def made(result):
    if result == -1: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
segment = made(libc.shmget(0, 1 << 20, 0o1600))
total = ctypes.cast(made(libc.shmat(segment, None, 0)), ctypes.POINTER(ctypes.c_long))
semaphores, queue = made(libc.semget(0, 2, 0o1600)), made(libc.msgget(0, 0o1600))
letters = made(libc.mq_open(b"/storm", os.O_RDWR | os.O_CREAT, 0o600, None))
changes = made(libc.inotify_init1(0))
made(libc.inotify_add_watch(changes, b".", 2))
def add(number, what): made(libc.semop(semaphores, struct.pack("Hhh", number, what, 0), 1))
child = os.fork()
while not child:
    add(0, -1)
    total[0] += 1
    made(libc.msgsnd(queue, struct.pack("l4s", 1, b"word"), 4, 0)), add(1, 1)
n, right, end = 0, 0, time.monotonic() + 2
got, letter = ctypes.create_string_buffer(12), ctypes.create_string_buffer(9000)
with open("changed", "wb", 0) as file:
    while time.monotonic() < end or n < 10:
        n += 1
        add(0, 1), add(1, -1), file.write(b"x")
        right += (total[0] == n and made(libc.msgrcv(queue, got, 4, 0, 0)) == 4 and got.raw[8:] == b"word" and
                  not made(libc.mq_send(letters, b"%d" % n, len(str(n)), n % 7)) and
                  made(libc.mq_receive(letters, letter, 9000, None)) == len(str(n)) and
                  os.read(changes, 100)[:8] == struct.pack("ii", 1, 2))
        time.sleep(0.001)
os.kill(child, signal.SIGKILL), os.waitpid(child, 0)
made(libc.shmctl(segment, 0, None)), made(libc.semctl(semaphores, 0, 0)), made(libc.msgctl(queue, 0, None))
made(libc.mq_unlink(b"/storm")), os.unlink("changed")
print(right == n)
'
}

parts=${PARTS:-text tree base mail threads events talk ipc host disk devices held}
folder=/tmp/storm

loop() {
    part=$1; times=0
    mkdir -p $folder/$part; cd $folder/$part
    while :; do
        $part > ../$part.now 2>&1
        cmp -s ../$part.now ../$part.first || { echo "$part differs:"; diff ../$part.first ../$part.now; }
        times=$((times + 1))
        [ $SECONDS -lt $2 ] || break
    done
    echo $part $times > ../$part.times
}

if [ "$1" = learn ]; then
    rm -rf $folder; mkdir $folder
    for part in $parts; do
        mkdir $folder/$part; cd $folder/$part
        $part > ../$part.first 2>&1
        head -v -n 40 ../$part.first
    done
else
    for one in $parts; do loop $one $1 & done
    wait
    cat $folder/*.times
fi
