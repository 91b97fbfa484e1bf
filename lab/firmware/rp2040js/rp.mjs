// Runs an RP2040 image in rp2040js: a terminal on its USB port, or a job with its exit code, with power cuts in between.
//
//   node rp.mjs --simulator DIR --rom ROM --firmware IMAGE [--flash FILE] [options] [-- ARGUMENTS...]
//     --flash FILE      the flash is read from here if it exists, and written here at the end: it survives a power cut
//     --job SCRIPT      run this MicroPython script, print what it prints, end with its exit code
//     --tree ROMFS      a ROMFS image put behind the flash of a Pico, mounted at /rom for the job
//     --tree-first      modules of the tree come before the frozen ones
//     --cuts N,N,...    cut the power after so many flash words of each life of the job, then start again; the last
//                       life is not cut. `== cut N` is printed at each.
//     --count-from N    count only words from this byte of the flash on
//     --speed           at the end say how many cycles the job took
//     --plain           run every instruction with the simulator's own code, which takes three times as long
//     --uarts PORT,...  UART 0 (and 1) is carried to this TCP port of 127.0.0.1 each, where a bridge listens
//     --wired           what comes on a UART comes at the wire's pace in the chip's clock, and the flash takes its time
//                       meanwhile: a byte that finds the FIFO full is lost. Without it each waits for room
//     --lan             a W5500 with its cable plugged in, on the pins of a W5500-EVB-Pico (w5500.mjs, lan.mjs)
//     --now FILE        what may change while it runs, as JSON, read again when it was written: `names`, whether the
//                       name server answers; `supply_mv`, which a Pico measures at GPIO29; `pace`, how many times as
//                       fast as its user's an idle chip's clock may run
//     --trace FILE      each byte of the UARTs is written here at the end: milliseconds since power-on, UART, `>` to
//                       the wire, `<` from there or `!` lost, the byte
// 1. A word is what the boot ROM's program and erase write at once: no cut is finer than the flash itself.
// 2. A reset (machine.reset, the watchdog) restarts the chip with the flash as it is.
// 3. SIGTERM is a power cut: the chip stops where it is, the flash is written to its file.
// 4. A job's input goes through the raw REPL in pieces the USB buffer takes. The simulator answers each time the chip asks
//    for input, even with nothing, which would keep an idle chip busy; here it gets an answer only when there is
//    input.
// 5. On a terminal a chip waits as long as a real one, since its user lives in real time. A job does not.
// 6. While a `wired` chip's flash works it stands still, for as long as a W25Q16JV takes (datasheet, 9.6, typical).
import fs from 'fs';
import net from 'net';
import path from 'path';
import { pathToFileURL } from 'url';
import { runner } from './core.mjs';
import { Lan } from './lan.mjs';
import { W5500 } from './w5500.mjs';

const options = { arguments: [] };
for (let words = process.argv.slice(2); words.length;) {
  const word = words.shift();
  if (word === '--') { options.arguments = words; break; }
  const name = word.replace(/^--/, '');
  options[name] = ['tree-first', 'speed', 'plain', 'lan', 'wired'].includes(name) ? true : words.shift();
}
const from = path.resolve(options.simulator, 'node_modules/rp2040js/dist/esm/index.js');
const { RP2040, USBCDC, ConsoleLogger, LogLevel } = await import(pathToFileURL(from));

const TREE_OFFSET = 4 * 1024 * 1024; // the simulated flash has 16 MB, a Pico's image uses 2
const TREE_BYTES = 12 * 1024 * 1024;
const FLASH_BYTES = 2 * 1024 * 1024;
const countFrom = Number(options['count-from'] || 0);
const INPUT_MOST = 400; // the simulator's USB buffer holds 512 bytes
const BATCH = 200000;
const LATE_MS = 20;
const REST_MOST_MS = 100;
const LOOK_MS = 200;
const UART_MOST = 16; // fed at once where bytes wait for room; its FIFO holds 32
const UART_BITS = 10; // of a byte on the wire
const PAGE_BYTES = 256, SECTOR_BYTES = 4096;
const PROGRAM_NS = 0.4e6, ERASE_NS = 45e6;
const SUPPLY_CHANNEL = 3, SUPPLY_RATIO = 3, ADC_MV = 3300, ADC_FULL = 4096;

const rom = new Uint32Array(4096);
new Uint8Array(rom.buffer).set(fs.readFileSync(options.rom));
const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
if (options.flash && fs.existsSync(options.flash)) flash.set(fs.readFileSync(options.flash).subarray(0, FLASH_BYTES));
flash.set(fs.readFileSync(options.firmware), 0);
const tree = options.tree ? fs.readFileSync(options.tree) : null;

const now = { names: true, supply_mv: 5000, pace: 1 };
const trace = [];

function end(code) {
  keepFlash();
  if (options.trace) fs.appendFileSync(options.trace, trace.join(''));
  if (options.flash) fs.writeFileSync(options.flash, flash);
  process.exit(code);
}

let chip = null;
let asleep = null; // until the next alarm of a chip that waits

// The other ends of the UARTs: sockets, which outlive the chip's resets, and what they have sent.
const wires = (options.uarts || '').split(',').filter((word) => word).map((word) => {
  const wire = { socket: net.connect(Number(word), '127.0.0.1').setNoDelay(), waiting: [] };
  wire.socket.on('data', (octets) => { wire.waiting.push(...octets); wake(); });
  wire.socket.on('error', () => {});
  return wire;
});

const lan = options.lan ? new Lan(() => wake(), now) : null;

// The simulator keeps raising a UART's transmit interrupt, even just after it was cleared: a chip raises it when its
// FIFO becomes empty. MicroPython's handler would never return.
function mendUart(uart) {
  const write = uart.writeUint32.bind(uart);
  uart.checkInterrupts = () => {
    uart.rp2040.setInterrupt(uart.irq, !!(uart.interruptStatus & uart.interruptMask));
  };
  uart.writeUint32 = (offset, value) => {
    write(offset, value);
    if (offset !== 0) return;
    uart.interruptStatus |= 1 << 5; // the byte is gone at once
    uart.checkInterrupts();
  };
}

// The simulator's watchdog, once it has run down, is due again at once and for ever: its clock would never go on.
function mendWatchdog(watchdog, reset) {
  watchdog.onWatchdogTrigger = () => {
    watchdog.alarm.enable = false;
    reset();
  };
}

// Copies the chip's flash into `flash`, which outlives it.
function keepFlash() {
  if (chip) flash.set(chip.mcu.flash.subarray(0, FLASH_BYTES));
}

// One life of the chip, from power-on to the next cut or reset.
class Chip {
  constructor(terminal) {
    const mcu = this.mcu = new RP2040();
    this.clock = mcu.clock;
    mcu.logger = new ConsoleLogger(LogLevel.Error);
    mcu.logger.error = () => {}; // it complains about registers that do nothing here
    mcu.loadBootrom(rom);
    mcu.flash.fill(0xff);
    mcu.flash.set(flash, 0);
    if (tree) mcu.flash.set(tree, TREE_OFFSET);
    mcu.core.PC = 0x10000000;
    this.words = 0;
    this.cutAfter = Infinity;
    this.off = false;
    this.resets = false;
    this.input = [];
    this.countWords();
    this.live = runner(this);
    mcu.onBreak = (code) => { console.error(`break ${code} at ${mcu.core.PC.toString(16)}`); end(1); };
    mendWatchdog(mcu.peripherals[0x40058], () => { this.resets = true; this.off = true; });
    for (const uart of mcu.uart) mendUart(uart);
    if (lan) new W5500(mcu, lan);
    wires.forEach((wire, index) => this.plugIn(wire, index));
    this.measure();
    this.usb = new USBCDC(mcu.usbCtrl);
    this.usb.onDeviceConnected = () => terminal.connected();
    this.usb.onSerialData = (octets) => terminal.received(Buffer.from(octets));
    this.answerWithInput();
    this.began = performance.now();
  }

  countWords() {
    const mcu = this.mcu, write = mcu.writeUint32.bind(mcu);
    mcu.writeUint32 = (address, value) => {
      if (address >>> 24 === 0x10) {
        if ((address & 0xffffff) >= countFrom) {
          if (this.words >= this.cutAfter) { this.off = true; return; }
          this.words += 1;
        }
        if (options.wired) this.work(address, value);
      }
      write(address, value);
    };
  }

  // Lets the flash take its time, at the first word of what it erases or programs.
  work(address, value) {
    if (address % SECTOR_BYTES === 0 && value === 0xffffffff) this.clock.tick(ERASE_NS);
    else if (address % PAGE_BYTES === 0 && value !== 0xffffffff) this.clock.tick(PROGRAM_NS);
  }

  plugIn(wire, index) {
    const uart = this.mcu.uart[index];
    const note = (sign, octet) => {
      if (options.trace) trace.push(`${(this.clock.nanos / 1e6).toFixed(3)} ${index} ${sign} ${octet}\n`);
    };
    wire.waiting.length = 0;
    wire.out = [];
    wire.isBusy = false;
    uart.onByte = (octet) => { wire.out.push(octet); note('>', octet); };
    const take = () => {
      const octet = wire.waiting.shift(), isLost = options.wired && (!uart.enabled || uart.rxFIFO.full);
      if (!isLost) uart.feedByte(octet);
      note(isLost ? '!' : '<', octet);
    };
    const alarm = this.clock.createAlarm(() => { wire.isBusy = false; take(); wire.carry(); });
    wire.carry = () => {
      if (!options.wired) while (wire.waiting.length && uart.rxFIFO.itemCount < UART_MOST) take();
      if (wire.isBusy || !wire.waiting.length || !options.wired) return;
      wire.isBusy = true;
      alarm.schedule(uart.baudDivider ? UART_BITS * 1e9 / uart.baudRate : 0);
    };
  }

  // Puts the supply's voltage at the pin where a Pico measures it.
  measure() {
    const value = Math.round(now.supply_mv / SUPPLY_RATIO / ADC_MV * ADC_FULL);
    this.mcu.adc.channelValues[SUPPLY_CHANNEL] = Math.min(value, ADC_FULL - 1);
  }

  // Its user's clock and its own begin together again, at another pace.
  pacing() { this.began = performance.now() - this.clock.nanos / 1e6 / now.pace; }

  // Keeps the chip's question for input until there is some.
  answerWithInput() {
    const { mcu, usb } = this, answer = mcu.usbCtrl.onEndpointRead;
    this.asked = null;
    mcu.usbCtrl.onEndpointRead = (...question) => {
      if (question[0] === usb.outEndpoint && !usb.txFIFO.itemCount) this.asked = question;
      else answer(...question);
    };
    this.answer = () => {
      if (!this.asked || !usb.txFIFO.itemCount) return;
      const question = this.asked;
      this.asked = null;
      answer(...question);
    };
  }

  // How far its clock may advance while it waits: up to its partner's clock. A delay is not made up for.
  get mayWaitNs() {
    if (options.job) return Infinity;
    const behind = performance.now() - this.began - this.clock.nanos / 1e6 / now.pace;
    if (behind > LATE_MS) this.began += behind - LATE_MS;
    return Math.min(behind, LATE_MS) * 1e6 * now.pace;
  }

  // For how many milliseconds nothing happens without input; 0 for a busy chip.
  get restMs() {
    const { clock } = this;
    if (!this.mcu.core.waiting || this.mayWaitNs === Infinity) return 0;
    const rest = clock.nextAlarm === null ? REST_MOST_MS : (clock.nanosToNextAlarm - this.mayWaitNs) / 1e6 / now.pace;
    return Math.max(0, Math.min(REST_MOST_MS, rest));
  }

  // Runs a piece of its life; false when it is over.
  run() {
    this.live(BATCH, options.plain);
    wires.forEach((wire) => {
      if (wire.out.length) wire.socket.write(Buffer.from(wire.out.splice(0)));
      wire.carry();
    });
    while (this.input.length && this.usb.txFIFO.itemCount < INPUT_MOST) this.usb.sendSerialByte(this.input.shift());
    if (this.answer) this.answer();
    return !this.off;
  }
}

// What a person or mpremote sees: bytes both ways.
class Terminal {
  connected() {}
  received(octets) { process.stdout.write(octets); }
}

// A job through the raw REPL.
class Job {
  constructor() {
    this.text = '';
    this.stage = 0;
    this.code = -1;
  }

  connected() { this.type('\r\x03'); }

  type(text) { chip.input.push(...Buffer.from(text)); }

  received(octets) {
    this.text += octets.toString('latin1');
    if (this.stage === 0 && this.text.includes('>>> ')) this.next('\r\x03\x01');
    if (this.stage === 1 && this.text.includes('raw REPL; CTRL-B to exit\r\n>')) this.next(`${this.program()}\x04`);
    if (this.stage === 2 && this.text.includes('OK')) {
      this.text = this.text.slice(this.text.indexOf('OK') + 2);
      this.stage = 3;
    }
    if (this.stage === 3) this.print();
  }

  next(typed) {
    this.text = '';
    this.stage += 1;
    this.type(typed);
  }

  print() {
    const at = this.text.indexOf('\x04');
    const out = at < 0 ? this.text : this.text.slice(0, at);
    process.stdout.write(Buffer.from(out.replaceAll('\r\n', '\n'), 'latin1'));
    this.text = at < 0 ? '' : this.text.slice(at);
    const close = this.text.indexOf('\x04', 1);
    if (at < 0 || close < 0) return;
    const error = this.text.slice(1, close);
    const left = /SystemExit: ?(\d*)/.exec(error);
    if (!left && error) process.stdout.write(error.replaceAll('\r\n', '\n'));
    this.code = left ? Number(left[1] || 0) : error ? 1 : 0;
    chip.off = true;
  }

  // What is typed: put the tree on the path, run the script. SystemExit becomes a message: the REPL would swallow it.
  program() {
    const order = options['tree-first'] ? "'/rom','.frozen'" : "'.frozen','/rom'";
    const mount = tree ? `import vfs,uctypes
vfs.mount(vfs.VfsRom(uctypes.bytearray_at(${0x10000000 + TREE_OFFSET},${TREE_BYTES})),'/rom')
sys.path[:]=[${order}]
` : '';
    return `import sys
${mount}sys.argv[:]=${JSON.stringify(['job', ...options.arguments])}
try:
 exec(compile(${python(fs.readFileSync(options.job, 'utf8'))},'job','exec'),{'__name__':'__main__'})
except SystemExit as _end:
 raise RuntimeError('SystemExit: %s'%(_end.args[0] if _end.args else 0))
`;
  }
}

// The text as a Python string literal.
function python(text) {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n');
  return `'${escaped}'`;
}

function turn() {
  if (chip.run()) {
    const restMs = chip.restMs;
    if (restMs) asleep = setTimeout(wake, restMs);
    else setImmediate(turn);
    return;
  }
  keepFlash();
  if (terminal.code >= 0) {
    if (options.speed) console.log(`${chip.mcu.core.cycles} cycles`);
    end(terminal.code);
  }
  if (!chip.resets) console.log(`\n== cut ${chip.words}`);
  begin();
  setImmediate(turn);
}

function wake() {
  clearTimeout(asleep);
  if (asleep) setImmediate(turn);
  asleep = null;
}

const cuts = (options.cuts || '').split(',').filter((word) => word).map(Number);
let terminal = null;

function begin() {
  terminal = options.job ? new Job() : new Terminal();
  chip = new Chip(terminal);
  if (cuts.length) chip.cutAfter = cuts.shift();
}

function look() {
  if (options.now) Object.assign(now, JSON.parse(fs.readFileSync(options.now, 'utf8')));
}

process.on('SIGTERM', () => end(0));
if (options.now) fs.watchFile(options.now, { interval: LOOK_MS }, () => { look(); chip.measure(); chip.pacing(); wake(); });
if (!options.job) {
  process.stdin.on('data', (octets) => { chip.input.push(...octets); wake(); });
  process.stdin.on('end', () => end(0));
}
look();
begin();
turn();
