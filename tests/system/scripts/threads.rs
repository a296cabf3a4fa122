// What a program in Rust uses of its system: threads and what they share, unwinding, files, processes,
// sockets, time.
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

fn channels() {
    let (send, receive) = mpsc::channel::<(usize, u64)>();
    let threads: Vec<_> = (0..50)
        .map(|n| {
            let send = send.clone();
            thread::spawn(move || (0..200).for_each(|i| send.send((n, (i * n) as u64)).unwrap()))
        })
        .collect();
    drop(send);
    let mut sums = BTreeMap::new();
    for (n, value) in receive {
        *sums.entry(n).or_insert(0) += value;
    }
    threads.into_iter().for_each(|one| one.join().unwrap());
    println!("channels {} {} {:?}", sums.len(), sums.values().sum::<u64>(), sums.get(&49));
}

fn locks() {
    let (both, turn) = (Arc::new((Mutex::new(0usize), Condvar::new())), Arc::new(AtomicUsize::new(0)));
    let threads: Vec<_> = (0..8)
        .map(|me| {
            let (both, turn) = (both.clone(), turn.clone());
            thread::spawn(move || {
                for round in 0..50 {
                    let (lock, changed) = &*both;
                    let mut now = changed.wait_while(lock.lock().unwrap(), |n| *n != round * 8 + me).unwrap();
                    turn.fetch_add(*now, Ordering::Relaxed);
                    *now += 1;
                    changed.notify_all();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|one| one.join().unwrap());
    let shared = RwLock::new(HashMap::new());
    thread::scope(|scope| {
        for n in 0..4 {
            let shared = &shared;
            scope.spawn(move || (0..1000).for_each(|i| assert_eq!(shared.write().unwrap().insert(i * 4 + n, i), None)));
            scope.spawn(move || (0..1000).filter(|i| shared.read().unwrap().contains_key(i)).count());
        }
    });
    println!("locks {} {}", turn.load(Ordering::SeqCst), shared.read().unwrap().len());
}

fn barriers() {
    static ONCE: Once = Once::new();
    thread_local!(static MINE: Cell<usize> = Cell::new(0));
    let (barrier, leaders) = (Barrier::new(16), AtomicUsize::new(0));
    let total = thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|n| {
                let (barrier, leaders) = (&barrier, &leaders);
                scope.spawn(move || {
                    for _ in 0..30 {
                        ONCE.call_once(|| assert!(leaders.fetch_add(1000, Ordering::Relaxed) < 1000));
                        leaders.fetch_add(barrier.wait().is_leader() as usize, Ordering::Relaxed);
                        MINE.with(|mine| mine.set(mine.get() + n));
                    }
                    MINE.with(|mine| mine.get())
                })
            })
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).sum::<usize>()
    });
    println!("barriers {} {}", leaders.load(Ordering::Relaxed), total);
}

fn parks() {
    let sleeper = thread::spawn(|| {
        let mut woken = 0;
        while woken < 100 {
            thread::park();
            woken += 1;
        }
        woken
    });
    while !sleeper.is_finished() {
        sleeper.thread().unpark();
        thread::yield_now();
    }
    // In a thread of its own, since what channels left for this one may wake it.
    let late = thread::spawn(|| {
        let begun = Instant::now();
        thread::park_timeout(Duration::from_millis(20));
        begun.elapsed() >= Duration::from_millis(20)
    });
    println!("parks {} {}", sleeper.join().unwrap(), late.join().unwrap());
}

fn panics() {
    std::panic::set_hook(Box::new(|_| {}));
    let failed = (0..20).map(|n| thread::spawn(move || assert!(n % 3 != 0, "{} is wrong", n)));
    let said: Vec<_> = failed
        .map(|one| one.join().map_err(|why| why.downcast_ref::<String>().cloned()))
        .filter_map(|one| one.err().flatten())
        .collect();
    println!("panics {:?}", said);
    let caught = std::panic::catch_unwind(|| vec![1, 2, 3][std::env::args().count() + 10]);
    println!("caught {}", caught.is_err());
    let _ = std::panic::take_hook();
}

fn files() -> std::io::Result<()> {
    let folder = std::env::temp_dir().join(format!("rust{}", std::process::id()));
    fs::create_dir(&folder)?;
    thread::scope(|scope| {
        for n in 0..20usize {
            let folder = &folder;
            scope.spawn(move || fs::write(folder.join(n.to_string()), vec![n as u8; n * 1000]).unwrap());
        }
    });
    let mut all: Vec<_> = fs::read_dir(&folder)?.map(|one| one.unwrap()).map(|one| (one.file_name(), one.metadata().unwrap().len())).collect();
    all.sort();
    let mut file = fs::OpenOptions::new().read(true).write(true).open(folder.join("9"))?;
    file.seek(SeekFrom::End(-5))?;
    file.write_all(b"0123456789")?;
    file.seek(SeekFrom::Start(8994))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    fs::rename(folder.join("9"), folder.join("nine"))?;
    fs::hard_link(folder.join("nine"), folder.join("again"))?;
    println!("files {} {:?} {:?} {}", all.len(), all[19], text, fs::metadata(folder.join("again"))?.len());
    println!("missing {}", fs::File::open(folder.join("9")).unwrap_err());
    fs::remove_dir_all(folder)
}

fn processes() -> std::io::Result<()> {
    let threads: Vec<_> = (0..10)
        .map(|n| {
            thread::spawn(move || {
                let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                let mut input = child.stdin.take().unwrap();
                let writer = thread::spawn(move || (0..2000).for_each(|i| writeln!(input, "{} {}", n, i).unwrap()));
                let lines = BufReader::new(child.stdout.take().unwrap()).lines().count();
                writer.join().unwrap();
                (lines, child.wait().unwrap().code())
            })
        })
        .collect();
    let said: Vec<_> = threads.into_iter().map(|one| one.join().unwrap()).collect();
    println!("processes {:?}", said);
    let mut sleeper = Command::new("sleep").arg("100").spawn()?;
    sleeper.kill()?;
    println!("killed {:?} {}", sleeper.wait()?.signal(), Command::new("/none").spawn().unwrap_err());
    Ok(())
}

fn sockets() -> std::io::Result<()> {
    let path = std::env::temp_dir().join(format!("socket{}", std::process::id()));
    let listener = UnixListener::bind(&path)?;
    let server = thread::spawn(move || {
        for _ in 0..30 {
            let (mut one, _) = listener.accept().unwrap();
            thread::spawn(move || {
                let mut data = Vec::new();
                one.read_to_end(&mut data).unwrap();
                data.reverse();
                one.write_all(&data).unwrap();
            });
        }
    });
    let total: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..30usize)
            .map(|n| {
                let path = &path;
                scope.spawn(move || {
                    let mut one = UnixStream::connect(path).unwrap();
                    let data: Vec<u8> = (0..n * 10000).map(|i| (i * n % 251) as u8).collect();
                    one.write_all(&data).unwrap();
                    one.shutdown(std::net::Shutdown::Write).unwrap();
                    let mut back = Vec::new();
                    one.read_to_end(&mut back).unwrap();
                    back.reverse();
                    assert!(back == data);
                    back.len()
                })
            })
            .collect();
        clients.into_iter().map(|one| one.join().unwrap()).sum()
    });
    server.join().unwrap();
    fs::remove_file(path)?;
    let (one, other) = UnixDatagram::pair()?;
    other.set_read_timeout(Some(Duration::from_millis(20)))?;
    one.send(b"datagram")?;
    let mut text = [0; 20];
    println!("sockets {} {} {:?}", total, other.recv(&mut text)?, other.recv(&mut text).unwrap_err().kind());
    Ok(())
}

fn sorted() {
    let mut seed = 1u64;
    let numbers: Vec<u64> = (0..200_000)
        .map(|_| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            seed >> 20
        })
        .collect();
    let mut parts: Vec<Vec<u64>> = numbers.chunks(25_000).map(|one| one.to_vec()).collect();
    thread::scope(|scope| parts.iter_mut().for_each(|one| drop(scope.spawn(|| one.sort()))));
    let mut all = parts.concat();
    all.sort();
    println!("sorted {} {} {}", all[0], all[100_000], all.windows(2).all(|two| two[0] <= two[1]));
}

fn main() -> std::io::Result<()> {
    channels();
    locks();
    barriers();
    parks();
    panics();
    files()?;
    processes()?;
    sockets()?;
    sorted();
    println!("{}", thread::available_parallelism()?.get() > 0);
    fn deeper(n: u64) -> u64 {
        let kept = [n; 100];
        if n == 0 { 0 } else { deeper(n - 1) + unsafe { std::ptr::read_volatile(&kept[n as usize % 100]) } }
    }
    let deep = thread::Builder::new().stack_size(64 << 20).spawn(|| deeper(50_000))?.join();
    println!("deep {:?}", deep.ok());
    // More than there is: the guard page below the stack ends the program with a message.
    std::thread::spawn(|| deeper(1 << 40)).join().unwrap();
    Ok(())
}
