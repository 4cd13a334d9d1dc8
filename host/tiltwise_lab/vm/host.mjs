// The official MicroPython (WebAssembly) as a board: virtual clock, blocking calls to Python over two pipes.
// Before it: process.py, which starts it and answers. Inside it: the firmware's files, and shims/ for what a board has.
// Usage: node host.mjs CONFIG IN OUT   with {mjs, heap, romfs: base64 or '', files: {path: base64}, path: [sys.path first], main, ticks_offset, now_us, watches_heap}
import fs from 'fs';
import {pathToFileURL} from 'url';

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const [IN, OUT] = process.argv.slice(3).map(Number); // file descriptors
const TICKS = 1073741824; // MicroPython's ticks wrap here on 32-bit boards
const PATIENCE = 20000; // looks at a clock that stands still, after which it moves: a busy wait has to end
const OP = {CALL: 1, ASK: 2, IDLE: 3, DONE: 4, LINE: 5, CRASH: 6};

// ---- virtual time: MicroPython takes it from Date.now and, for asyncio, from setTimeout ----
let now = config.now_us; // microseconds
let timerId = 1;
const timers = new Map();
let seen = 0;
let looks = 0;
function look() {
  if (now !== seen) { seen = now; looks = 0; }
  if (++looks > PATIENCE) now += 20;
  return Math.floor(now);
}
Date.now = () => Math.floor(look() / 1000);
globalThis.setTimeout = (run, ms = 0, ...args) => {
  timers.set(timerId, {at: now + Math.max(0, ms) * 1000, id: timerId, run, args});
  return timerId++;
};
globalThis.clearTimeout = (id) => { timers.delete(id); };

function nextTimer() {
  let best = null;
  for (const timer of timers.values()) {
    if (!best || timer.at < best.at || (timer.at === best.at && timer.id < best.id)) best = timer;
  }
  return best;
}

// ---- the pipe: length u32, operation u8, time f64, payload; back: length u32, time f64, payload ----
function readExactly(n) {
  const buffer = Buffer.alloc(n);
  let have = 0;
  while (have < n) {
    const k = fs.readSync(IN, buffer, have, n - have);
    if (k === 0) process.exit(0); // the bench is gone
    have += k;
  }
  return buffer;
}

function rpc(op, payload) {
  const head = Buffer.alloc(13);
  head.writeUInt32LE(payload.length, 0);
  head[4] = op;
  head.writeDoubleLE(now, 5);
  fs.writeSync(OUT, payload.length ? Buffer.concat([head, payload]) : head);
  const back = readExactly(12);
  now = back.readDoubleLE(4);
  const n = back.readUInt32LE(0);
  return n ? readExactly(n) : Buffer.alloc(0);
}

// ---- MicroPython, and the one module that its shims are made of ----
const {loadMicroPython} = await import(pathToFileURL(config.mjs));
const romfs = config.romfs ? new Uint8Array(Buffer.from(config.romfs, 'base64')) : undefined;
const say = (line) => rpc(OP.LINE, Buffer.from(line));
const mp = await loadMicroPython({heapsize: config.heap, romfs, stdout: say, stderr: say});
const heap = () => mp._module.HEAPU8; // looked up each time: it moves when the memory grows
let onEvent = null;

mp.registerJsModule('_bench', {
  ticks_us: () => (look() + config.ticks_offset) % TICKS,
  ticks_ms: () => (Math.floor(look() / 1000) + config.ticks_offset) % TICKS,
  seconds: () => Math.floor(now / 1e6),
  sleep_us: (us) => { now += us; },
  wall_us: () => Number(process.hrtime.bigint() / 1000n % 1000000000n), // real time, for ratios of speeds
  // A device call with a buffer of MicroPython's at an address: what comes back is written there. Returns an errno.
  call: (kind, a, b, address, n) => {
    const payload = Buffer.alloc(9 + n);
    payload[0] = kind;
    payload.writeUInt32LE(a, 1);
    payload.writeUInt32LE(b, 5);
    payload.set(heap().subarray(address, address + n), 9);
    const back = rpc(OP.CALL, payload);
    if (back.length > 2) heap().set(back.subarray(2), address);
    return back.readInt16LE(0);
  },
  ask: (text) => rpc(OP.ASK, Buffer.from(text)).toString(),
  on_event: (handler) => { onEvent = handler; },
  crashed: (text) => { rpc(OP.CRASH, Buffer.from(text)); },
});

function makeFolders(path) {
  const parts = path.split('/').slice(1, -1);
  for (let k = 1; k <= parts.length; k++) {
    const folder = '/' + parts.slice(0, k).join('/');
    if (!mp.FS.analyzePath(folder).exists) mp.FS.mkdir(folder);
  }
}

function filesBelow(folder, found) {
  for (const name of mp.FS.readdir(folder)) {
    const path = (folder === '/' ? '' : folder) + '/' + name;
    if (name === '.' || name === '..' || ['/dev', '/proc', '/tmp', '/home', '/bench'].includes(path)) continue;
    if (mp.FS.isDir(mp.FS.stat(path).mode)) filesBelow(path, found);
    else found[path] = Buffer.from(mp.FS.readFile(path)).toString('base64');
  }
  return found;
}

for (const [path, content] of Object.entries(config.files)) {
  makeFolders(path);
  mp.FS.writeFile(path, Buffer.from(content, 'base64'));
}

function attempt(run) {
  try { run(); return ''; } catch (problem) {
    if (problem.name !== 'PythonError') throw problem;
    return `${problem.type}: ${problem.message}`;
  }
}

// What the heap holds between two steps, and what one step adds: MicroPython collects here only outside of its code.
const heapPeaks = {live: 0, step: 0};
async function watched(run) {
  if (!config.watches_heap) return run();
  mp.runPython('gc.collect()');
  await microtasks();
  const before = mp.globals.get('gc').mem_alloc();
  run();
  heapPeaks.live = Math.max(heapPeaks.live, before);
  heapPeaks.step = Math.max(heapPeaks.step, mp.globals.get('gc').mem_alloc() - before);
}

function obey(order) {
  if (order.do === 'run') {
    const error = attempt(() => mp.runPython(order.code));
    rpc(OP.DONE, Buffer.from(JSON.stringify({error})));
  } else if (order.do === 'files') {
    rpc(OP.DONE, Buffer.from(JSON.stringify({error: '', files: filesBelow('/', {})})));
  } else if (order.do === 'heap') {
    rpc(OP.DONE, Buffer.from(JSON.stringify({error: '', ...heapPeaks})));
    heapPeaks.live = heapPeaks.step = 0;
  } else if (order.do === 'event') {
    const error = onEvent ? attempt(() => onEvent(order.event, order.data)) : '';
    if (error) rpc(OP.CRASH, Buffer.from(error));
  } else {
    process.exit(0);
  }
}

const realImmediate = setImmediate;
const microtasks = () => new Promise((resolve) => realImmediate(resolve));
// asyncio comes first: its timers are compared with the built-in clock, which has no offset.
const problem = attempt(() => mp.runPython(`import asyncio, gc, sys\nfor name in ('time', 'os'): sys.modules.pop(name, None)\nsys.path[:0] = ${JSON.stringify(config.path)}\nimport boot_bench`));
if (problem) rpc(OP.CRASH, Buffer.from(problem));

// ---- run for ever: say when the next timer is due, do what comes back, fire the timer when its time has come ----
while (true) {
  await microtasks();
  const timer = nextTimer();
  const due = Buffer.alloc(8);
  due.writeDoubleLE(timer ? timer.at : Infinity, 0);
  const orders = rpc(OP.IDLE, due);
  for (const order of orders.length ? JSON.parse(orders.toString()) : []) {
    await watched(() => obey(order));
    await microtasks(); // lets the garbage collector of MicroPython run, which it does only outside of its code
  }
  const next = nextTimer();
  if (next && next.at <= now) {
    timers.delete(next.id);
    await watched(() => next.run(...next.args));
  }
}
