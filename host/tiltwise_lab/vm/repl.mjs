// A MicroPython prompt on stdin and stdout with a folder of the host as its flash: what mpremote talks to.
// Before it: repl.py, which puts it on a pseudo-terminal. Usage: node repl.mjs MICROPYTHON_MJS FOLDER SHIMS_FOLDER
// Three things a board does and this VM does not are done here: refuse raw-paste (the VM cannot wait for input), print
// what a soft reboot prints, and keep files over it. The errno numbers of a board come from shims/os.py.
import fs from 'fs';
import path from 'path';
import {pathToFileURL} from 'url';

const [, , module, flash, shims] = process.argv;
const {loadMicroPython} = await import(pathToFileURL(module));
const CTRL_A = 1, CTRL_B = 2, CTRL_E = 5;
let mp = null;
let isMuted = false;

function putFiles(from, to) {
  for (const entry of fs.readdirSync(from, {withFileTypes: true})) {
    const source = path.join(from, entry.name), target = `${to}/${entry.name}`;
    if (entry.isDirectory()) { mp.FS.mkdir(target); putFiles(source, target); }
    else mp.FS.writeFile(target, fs.readFileSync(source));
  }
}

function takeFiles(from, to) {
  fs.mkdirSync(to, {recursive: true});
  for (const name of mp.FS.readdir(from)) {
    if (name === '.' || name === '..') continue;
    const source = `${from}/${name}`, target = path.join(to, name);
    if (mp.FS.isDir(mp.FS.stat(source).mode)) takeFiles(source, target);
    else fs.writeFileSync(target, mp.FS.readFile(source));
  }
}

function save() {
  fs.rmSync(flash, {recursive: true, force: true});
  takeFiles('/flash', flash);
}

async function boot() {
  const stdout = (data) => { if (!isMuted) fs.writeSync(1, data); };
  mp = await loadMicroPython({heapsize: 262144, linebuffer: false, stdin: () => nextByte(), stdout});
  mp.registerJsModule('_bench', {});
  mp.FS.mkdir('/flash');
  mp.FS.mkdir('/bench');
  putFiles(flash, '/flash');
  mp.FS.writeFile('/bench/os.py', fs.readFileSync(path.join(shims, 'os.py')));
  mp.runPython(`
import sys
sys.path[:] = ['/bench', '', '.frozen', '/flash', '/flash/lib']
import os, builtins
builtins.open = os.as_on_a_board(builtins.open)
os.chdir('/flash')
`);
  mp.replInit();
}

const buffer = Buffer.alloc(4096);
let at = 0, have = 0;
function nextByte() {
  while (at >= have) {
    at = 0;
    try { have = fs.readSync(0, buffer, 0, buffer.length); } catch (problem) {
      if (problem.code !== 'EAGAIN') throw problem;
      have = 0;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      continue;
    }
    if (have === 0) { save(); process.exit(0); }
  }
  return buffer[at++];
}

let isRaw = false;
isMuted = true;
await boot();
isMuted = false;
while (true) {
  const byte = nextByte();
  if (byte === CTRL_A) isRaw = true;
  if (byte === CTRL_B) isRaw = false;
  if (isRaw && byte === CTRL_E) {
    nextByte(); // "A"
    nextByte(); // Ctrl-A
    fs.writeSync(1, Buffer.from('R\x00'));
    continue;
  }
  if (mp.replProcessChar(byte)) { // Ctrl-D at an empty prompt
    save();
    fs.writeSync(1, 'MPY: soft reboot\r\n');
    isMuted = true;
    await boot();
    if (isRaw) { isMuted = false; mp.replProcessChar(CTRL_A); }
    isMuted = false;
  }
}
