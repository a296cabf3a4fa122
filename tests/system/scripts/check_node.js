// What a program in node uses of its system: an event loop beside a pool of threads, workers, files,
// processes, sockets, timers.
'use strict';
const { Worker, isMainThread, parentPort, workerData, MessageChannel } = require('worker_threads');

if (process.argv[2] === 'forked') {
    process.on('message', (message) => {
        process.send(message.n * 2);
        process.disconnect();
    });
    return;
}

if (!isMainThread) {
    const { shared, me } = workerData;
    const counter = new Int32Array(shared);
    for (let i = 0; i < 5000; i++)
        Atomics.add(counter, 0, 1);
    Atomics.add(counter, 1, 1);
    Atomics.notify(counter, 1);
    parentPort.on('message', (n) => {
        if (n === 'end')
            process.exit(me % 3);
        let [a, b] = [0n, 1n];
        for (let i = 0; i < n; i++)
            [a, b] = [b, a + b];
        parentPort.postMessage(String(a % 1000000007n));
    });
    return;
}

const fs = require('fs'), os = require('os'), path = require('path'), net = require('net');
const zlib = require('zlib'), crypto = require('crypto'), events = require('events');
const { promisify } = require('util');
const { pipeline } = require('stream/promises');
const { Readable, Transform } = require('stream');
const child = require('child_process');
const say = (...words) => console.log(words.join(' '));
const sha = (data) => crypto.createHash('sha256').update(data).digest('hex').slice(0, 16);
const after = (ms, value) => new Promise((done) => setTimeout(done, ms, value));

async function order() {
    const seen = [];
    setTimeout(() => seen.push('timeout'), 0);
    Promise.resolve().then(() => seen.push('promise'));
    process.nextTick(() => seen.push('tick'));
    seen.push('now');
    await after(30);
    const late = [30, 10, 20, 0].map((ms) => after(ms, ms).then((n) => seen.push(n)));
    let ticks = 0;
    await new Promise((done) => { const every = setInterval(() => { if (++ticks == 5) { clearInterval(every); done(); } }, 2); });
    await Promise.all(late);
    say('order', seen, ticks);
}

async function workers() {
    const shared = new SharedArrayBuffer(8), counter = new Int32Array(shared);
    const all = Array.from({ length: 4 }, (_, me) => new Worker(__filename, { workerData: { shared, me } }));
    const answers = await Promise.all(all.map((one, n) => {
        one.postMessage(500 + n);
        return events.once(one, 'message');
    }));
    const ends = all.map((one) => { one.postMessage('end'); return events.once(one, 'exit'); });
    say('workers', answers, await Promise.all(ends), counter);
    const failing = new Worker('throw new Error("in a worker")', { eval: true });
    say((await events.once(failing, 'error'))[0].message);
    const { port1, port2 } = new MessageChannel();
    port1.postMessage({ map: new Map([[1, new Uint8Array(3)]]), date: new Date(0) });
    say(JSON.stringify((await events.once(port2, 'message'))[0].date));
    port1.close();
}

async function files() {
    const folder = await fs.promises.mkdtemp(path.join(os.tmpdir(), 'node'));
    await Promise.all(Array.from({ length: 200 }, (_, n) =>
        fs.promises.mkdir(path.join(folder, String(n % 9)), { recursive: true })
            .then(() => fs.promises.writeFile(path.join(folder, String(n % 9), String(n)), Buffer.alloc(n * 50, n)))));
    let [count, size] = [0, 0];
    for (const one of await fs.promises.readdir(folder)) {
        for (const name of fs.readdirSync(path.join(folder, one))) {
            count++;
            size += fs.statSync(path.join(folder, one, name)).size;
        }
    }
    const big = path.join(folder, 'big');
    await pipeline(Readable.from(function* () { for (let i = 0; i < 20000; i++) yield `line ${i * 7919 % 20011}\n`; }()),
        fs.createWriteStream(big));
    await pipeline(fs.createReadStream(big, { highWaterMark: 1000 }), zlib.createGzip(), fs.createWriteStream(big + '.gz'));
    let lines = 0;
    await pipeline(fs.createReadStream(big + '.gz'), zlib.createGunzip(),
        new Transform({ transform(data, _, done) { lines += data.toString().split('\n').length - 1; done(null, data); } }),
        fs.createWriteStream(big + '2'));
    say('files', count, size, lines, sha(fs.readFileSync(big)) === sha(fs.readFileSync(big + '2')), sha(fs.readFileSync(big)));
    const changes = new Set();
    const watcher = fs.watch(folder, (what, name) => changes.add(`${what} ${name}`));
    fs.writeFileSync(path.join(folder, 'new'), 'x');
    fs.renameSync(path.join(folder, 'new'), path.join(folder, 'newer'));
    while (!changes.has('rename newer'))
        await after(5);
    watcher.close();
    say([...changes].sort());
    for (const wrong of [() => fs.readFileSync(path.join(folder, 'none')), () => fs.rmdirSync(folder), () => fs.openSync(folder, 'w')]) {
        try { wrong(); } catch (error) { say(error.code, error.syscall); }
    }
    fs.rmSync(folder, { recursive: true });
}

async function processes() {
    const said = await Promise.all(Array.from({ length: 6 }, (_, n) => new Promise((done) => {
        const one = child.spawn('sh', ['-c', `cat | sort -n | tail -n 1; echo wrong >&2; exit ${n}`]);
        let [text, errors] = ['', ''];
        one.stdout.on('data', (data) => text += data);
        one.stderr.on('data', (data) => errors += data);
        one.on('close', (code) => done(`${code}:${text.trim()} ${errors.trim()}`));
        for (let i = 0; i < 500; i++)
            one.stdin.write(`${i * n}\n`);
        one.stdin.end();
    })));
    say('processes', said);
    const sleeper = child.spawn('sleep', ['100']);
    sleeper.kill('SIGTERM');
    say(await events.once(sleeper, 'exit'), child.execFileSync('echo', ['sync']).toString().trim());
    const late = child.spawnSync('sleep', ['100'], { timeout: 50 });
    say(late.signal, late.error.code, child.spawnSync('/none').error.code);
    const forked = child.fork(__filename, ['forked']);
    forked.send({ n: 21 });
    say((await events.once(forked, 'message'))[0], (await events.once(forked, 'exit'))[0]);
    process.once('SIGUSR2', (name) => say('got', name));
    process.kill(process.pid, 'SIGUSR2');
    await after(20);
}

async function sockets() {
    const place = path.join(os.tmpdir(), `socket${process.pid}`);
    const server = net.createServer((one) => one.pipe(new Transform({
        transform(data, _, done) { done(null, data.map((byte) => byte ^ 0x55)); } })).pipe(one)).listen(place);
    await events.once(server, 'listening');
    const sums = await Promise.all(Array.from({ length: 20 }, (_, n) => new Promise((done, fail) => {
        const one = net.connect(place), parts = [];
        one.on('data', (data) => parts.push(data)).on('end', () => done(Buffer.concat(parts).length)).on('error', fail);
        one.end(Buffer.alloc(n * 10000, n));
    })));
    say('sockets', sums.reduce((a, b) => a + b));
    await promisify(server.close.bind(server))();
    say(await new Promise((done) => net.connect(place).on('error', (error) => done(error.code))));
}

async function threads() {
    const keys = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => promisify(crypto.pbkdf2)('word', `salt${n}`, 2000, 16, 'sha256')));
    const packed = await Promise.all([1, 5, 9].map((level) => promisify(zlib.deflate)(Buffer.from('text '.repeat(20000)), { level })));
    say('threads', keys.map((key) => key.toString('hex').slice(0, 6)), packed.map((one) => one.length));
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    say(crypto.verify('sha256', Buffer.from('x'), publicKey, crypto.sign('sha256', Buffer.from('x'), privateKey)));
}

// Enough for the compiler and the collector to have work.
function memory() {
    let kept = [], sum = 0;
    for (let i = 0; i < 200000; i++) {
        kept.push({ i, text: `${i}`, rest: [i, i + 1] });
        if (kept.length > 20000) {
            sum += kept.reduce((a, one) => a + one.rest[1], 0);
            kept = [];
        }
    }
    const wasm = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127,
        127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11])));
    say('memory', sum, kept.length, wasm.exports.add(40, 2));
}

(async () => {
    for (const one of [order, workers, files, processes, sockets, threads, memory])
        await one();
    process.on('exit', (code) => say('ends', code));
    setTimeout(() => { throw new Error('nobody catches this'); }, 1);
})();
