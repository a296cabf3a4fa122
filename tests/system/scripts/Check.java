// What a program in Java uses of its system: threads that are stopped all at once, faults that are
// exceptions, memory that is moved under them, files, processes, sockets.
import java.io.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.nio.file.attribute.*;
import java.security.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.*;
import java.util.stream.*;
import java.util.zip.*;

public class Check {
    static void say(Object... words) {
        System.out.println(Arrays.stream(words).map(String::valueOf).collect(Collectors.joining(" ")));
    }

    static void threads() throws Exception {
        var pool = Executors.newFixedThreadPool(8);
        var tasks = IntStream.range(0, 200).mapToObj(n -> (Callable<Long>) () ->
            LongStream.range(0, 1000).map(i -> i * n % 97).sum()).toList();
        long sum = 0;
        for (var one : pool.invokeAll(tasks))
            sum += one.get();
        pool.shutdown();
        var counts = new ConcurrentHashMap<Integer, LongAdder>();
        IntStream.range(0, 20000).parallel().forEach(i -> counts.computeIfAbsent(i % 101, k -> new LongAdder()).increment());
        say("threads", sum, pool.awaitTermination(60, TimeUnit.SECONDS), counts.size(), counts.get(0));
    }

    static int turn;

    static void monitors() throws Exception {
        var lock = new Object();
        var order = new StringBuilder();
        var threads = new ArrayList<Thread>();
        for (int me = 0; me < 6; me++) {
            int mine = me;
            threads.add(new Thread(() -> {
                for (int round = 0; round < 40; round++) {
                    synchronized (lock) {
                        try {
                            while (turn % 6 != mine)
                                lock.wait();
                        } catch (InterruptedException none) {
                            return;
                        }
                        order.append(mine);
                        turn++;
                        lock.notifyAll();
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        for (var one : threads)
            one.join();
        var sleeper = new Thread(() -> {
            try {
                Thread.sleep(100000);
            } catch (InterruptedException seen) {
                say("interrupted", Thread.currentThread().isInterrupted());
            }
        });
        sleeper.start();
        sleeper.interrupt();
        sleeper.join();
        var fair = new ReentrantReadWriteLock(true);
        var total = new int[1];
        var all = IntStream.range(0, 8).mapToObj(n -> new Thread(() -> {
            for (int i = 0; i < 200; i++) {
                var one = n % 4 == 0 ? fair.writeLock() : fair.readLock();
                one.lock();
                total[0] += n % 4 == 0 ? 1 : 0;
                one.unlock();
            }
        })).toList();
        all.forEach(Thread::start);
        for (var one : all)
            one.join();
        say("monitors", order.toString().equals("012345".repeat(40)), total[0]);
    }

    static int deep(int n) {
        return n == 0 ? 0 : 1 + deep(n - 1);
    }

    // Null, overflow of the stack and safepoints are faults of memory that the machine catches.
    static void faults() {
        int nulls = 0, overflows = 0, indexes = 0;
        for (int i = 0; i < 30000; i++) {
            Object[] none = i % 3 == 0 ? null : new Object[1];
            try {
                none[i % 2] = none;
            } catch (NullPointerException seen) {
                nulls++;
            } catch (ArrayIndexOutOfBoundsException seen) {
                indexes++;
            }
        }
        for (int i = 0; i < 3; i++) {
            try {
                deep(1 << 30);
            } catch (StackOverflowError seen) {
                overflows++;
            }
        }
        try {
            say(1 / (nulls - 10000));
        } catch (ArithmeticException seen) {
            say(seen.getMessage());
        }
        say("faults", nulls, indexes, overflows, deep(500));
    }

    static void files() throws Exception {
        var folder = Files.createTempDirectory("java");
        var pool = Executors.newCachedThreadPool();
        var written = IntStream.range(0, 100).mapToObj(n -> pool.submit(() ->
            Files.write(folder.resolve("f" + n), new byte[n * 100]))).toList();
        for (var one : written)
            one.get();
        pool.shutdown();
        try (var walk = Files.walk(folder)) {
            say("files", walk.filter(Files::isRegularFile).mapToLong(one -> one.toFile().length()).sum());
        }
        var mapped = folder.resolve("mapped");
        try (var channel = FileChannel.open(mapped, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            var view = channel.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20);
            for (int i = 0; i < 1 << 18; i++)
                view.putInt(i * 7);
            view.force();
            try (var locked = channel.lock(0, 100, false)) {
                say("locked", locked.isValid(), channel.size());
            }
        }
        var sum = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(mapped));
        say("mapped", HexFormat.of().formatHex(sum, 0, 8),
            PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
        var zip = folder.resolve("a.zip");
        try (var out = new ZipOutputStream(Files.newOutputStream(zip))) {
            for (int i = 0; i < 20; i++) {
                out.putNextEntry(new ZipEntry("e" + i));
                out.write(("text " + i).repeat(1000).getBytes());
            }
        }
        try (var files = new ZipFile(zip.toFile())) {
            say("zip", files.size(), new String(files.getInputStream(files.getEntry("e7")).readNBytes(6)));
        }
        try (var watcher = folder.getFileSystem().newWatchService()) {
            folder.register(watcher, StandardWatchEventKinds.ENTRY_CREATE);
            Files.createSymbolicLink(folder.resolve("link"), mapped);
            say("watched", watcher.take().pollEvents().get(0).context(), Files.readSymbolicLink(folder.resolve("link")).equals(mapped));
        }
        try {
            Files.delete(folder);
        } catch (DirectoryNotEmptyException seen) {
            say("not empty");
        }
        try (var walk = Files.walk(folder)) {
            walk.sorted(Comparator.reverseOrder()).forEach(one -> one.toFile().delete());
        }
        say(Files.exists(folder));
    }

    static void processes() throws Exception {
        var said = new ArrayList<String>();
        for (int n = 0; n < 5; n++) {
            var child = new ProcessBuilder("sh", "-c", "sort -n | tail -n 1; exit " + n).redirectErrorStream(true).start();
            try (var out = child.outputWriter()) {
                for (int i = 0; i < 300; i++)
                    out.write(i * n + "\n");
            }
            said.add(new String(child.getInputStream().readAllBytes()).trim() + ":" + child.waitFor());
        }
        var sleeper = new ProcessBuilder("sleep", "100").start();
        var late = sleeper.waitFor(50, TimeUnit.MILLISECONDS);
        sleeper.destroyForcibly();
        say("processes", said, late, sleeper.waitFor(), sleeper.toHandle().isAlive());
        try {
            new ProcessBuilder("/none").start();
        } catch (IOException seen) {
            say(seen.getMessage());
        }
    }

    static void sockets() throws Exception {
        var address = UnixDomainSocketAddress.of(Files.createTempDirectory("java").resolve("socket"));
        var selector = Selector.open();
        var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
        server.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
        var answers = new Thread(() -> {
            try {
                var buffer = ByteBuffer.allocate(4096);
                for (int ended = 0; ended < 20;) {
                    selector.select();
                    for (var keys = selector.selectedKeys().iterator(); keys.hasNext(); keys.remove()) {
                        var key = keys.next();
                        if (key.isAcceptable()) {
                            ((ServerSocketChannel) key.channel()).accept().configureBlocking(false).register(selector, SelectionKey.OP_READ, new long[1]);
                            continue;
                        }
                        var one = (SocketChannel) key.channel();
                        var sum = (long[]) key.attachment();
                        int length = one.read(buffer.clear());
                        for (int i = 0; i < length; i++)
                            sum[0] += buffer.get(i);
                        if (length < 0) {
                            one.write(ByteBuffer.allocate(8).putLong(sum[0]).flip());
                            one.close();
                            ended++;
                        }
                    }
                }
            } catch (IOException wrong) {
                throw new UncheckedIOException(wrong);
            }
        });
        answers.start();
        long total = IntStream.range(0, 20).parallel().mapToLong(n -> {
            try (var one = SocketChannel.open(address)) {
                var data = ByteBuffer.allocate(n * 3000);
                while (data.hasRemaining())
                    data.put((byte) n);
                data.flip();
                while (data.hasRemaining())
                    one.write(data);
                one.shutdownOutput();
                var answer = ByteBuffer.allocate(8);
                while (answer.hasRemaining() && one.read(answer) >= 0)
                    ;
                return answer.flip().getLong();
            } catch (IOException wrong) {
                throw new UncheckedIOException(wrong);
            }
        }).sum();
        answers.join();
        Files.delete(address.getPath());
        say("sockets", total);
    }

    record Node(Node left, Node right, byte[] filling) {
        int size() {
            return 1 + (left == null ? 0 : left.size() + right.size());
        }
    }

    static Node grow(int depth) {
        return depth == 0 ? new Node(null, null, new byte[20]) : new Node(grow(depth - 1), grow(depth - 1), new byte[20]);
    }

    // All make more than fits, so that whatever nobody needs is collected under them again and again.
    static void memory() throws Exception {
        var kept = new Node[4];
        var sum = new AtomicLong();
        var threads = IntStream.range(0, 4).mapToObj(n -> new Thread(() -> {
            for (int i = 0; i < 30; i++) {
                kept[n] = grow(11 + i % 3);
                sum.addAndGet(kept[n].size());
            }
        })).toList();
        threads.forEach(Thread::start);
        for (var one : threads)
            one.join();
        say("memory", sum, Arrays.stream(kept).mapToInt(Node::size).sum());
        try {
            var all = new ArrayList<long[]>();
            for (;;)
                all.add(new long[1 << 17]);
        } catch (OutOfMemoryError seen) {
            say(seen.getMessage());
        }
        var soft = new java.lang.ref.WeakReference<>(new Object());
        for (int i = 0; i < 100 && soft.get() != null; i++)
            System.gc();
        say(soft.get());
    }

    public static void main(String[] words) throws Exception {
        threads();
        monitors();
        faults();
        files();
        processes();
        sockets();
        memory();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> say("the end")));
        var clock = Executors.newScheduledThreadPool(2);
        var ticks = new CountDownLatch(10);
        clock.scheduleAtFixedRate(ticks::countDown, 1, 2, TimeUnit.MILLISECONDS);
        ticks.await();
        clock.shutdownNow();
        if (words.length > 0)
            new ProcessBuilder("kill", "-" + words[0], "" + ProcessHandle.current().pid()).start();
        else
            System.exit(7);
        Thread.sleep(100000);
    }
}
