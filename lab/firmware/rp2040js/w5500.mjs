// A W5500 on the pins of a W5500-EVB-Pico: registers over SPI, and Ethernet frames of its first socket (MACRAW).
//
// 1. What lwIP's driver uses (extmod/network_wiznet5k.c): sockets 1 to 7 and the chip's own TCP/IP do not exist.
// 2. An address is two bytes and a control byte, then data runs until the chip select ends it (datasheet, 2.2).
// 3. A frame that the receive buffer cannot hold is lost, as on the chip.
// 4. A byte takes its time on the wire: at once, DMA would fill the FIFO of what is received before anyone reads it.
// 5. The input of an output pin shows what is put out, which the simulator leaves out: the driver reads its chip select.
const MISO_BUS = 0, PIN_CS = 17, PIN_RESET = 20, PIN_INTERRUPT = 21;
const BUFFER_BYTES = 16 * 1024; // all of it belongs to the first socket
const COMMON = 0, SOCKET = 1, TX = 2, RX = 3; // blocks
const MR = 0x00, SHAR = 0x09, SIR = 0x17, SIMR = 0x18, PHYCFGR = 0x2e, VERSIONR = 0x39;
const S_MR = 0x00, S_CR = 0x01, S_IR = 0x02, S_SR = 0x03, S_TX_FREE = 0x20, S_TX_READ = 0x22, S_TX_WRITE = 0x24;
const S_RX_HAS = 0x26, S_RX_READ = 0x28, S_RX_WRITE = 0x2a, S_IMR = 0x2c;
const OPEN = 0x01, CLOSE = 0x10, SEND = 0x20, RECV = 0x40; // commands
const SENT = 0x10, RECEIVED = 0x04; // interrupts
const MACRAW = 0x42; // state
const LINK_UP = 0xbf; // PHYCFGR: 100 Mbit/s, full duplex, link
const RESET = 0x80;

export class W5500 {
  // `cable` gets each frame by `cable.sent(frame)` and gives some by calling `received(frame)`.
  constructor(mcu, cable) {
    this.pins = mcu.gpio;
    this.cable = cable;
    this.isInterrupting = null;
    this.selected = false;
    this.reset();
    cable.received = (frame) => this.received(frame);
    const spi = mcu.spi[MISO_BUS];
    const wire = mcu.clock.createAlarm(() => spi.completeTransmit(this.answer));
    spi.onTransmit = (octet) => {
      this.answer = this.selected ? this.exchanged(octet) : 0xff;
      wire.schedule(8e9 / spi.clockFrequency);
    };
    this.listen(PIN_CS, (isHigh) => { this.selected = !isHigh; this.head = []; });
    this.listen(PIN_RESET, (isHigh) => { if (!isHigh) this.reset(); });
  }

  listen(number, changed) {
    const pin = this.pins[number];
    pin.addListener((state) => {
      const isHigh = state !== 0;
      pin.setInputValue(isHigh);
      changed(isHigh);
    });
  }

  reset() {
    this.common = new Uint8Array(0x40);
    this.common[PHYCFGR] = LINK_UP;
    this.common[VERSIONR] = 4;
    this.socket = new Uint8Array(0x30);
    this.tx = new Uint8Array(BUFFER_BYTES);
    this.rx = new Uint8Array(BUFFER_BYTES);
    this.head = [];
    this.empty();
  }

  empty() {
    this.txRead = this.rxWrite = this.rxTaken = 0;
    for (const at of [S_TX_READ, S_TX_WRITE, S_RX_READ, S_RX_WRITE]) this.put(at, 0);
    this.measure();
  }

  word(at) { return this.socket[at] << 8 | this.socket[at + 1]; }

  put(at, value) {
    this.socket[at] = value >> 8;
    this.socket[at + 1] = value;
  }

  // Says what is free and what has come, and asks for attention.
  measure() {
    this.put(S_TX_FREE, BUFFER_BYTES - (this.word(S_TX_WRITE) - this.txRead & 0xffff));
    this.put(S_RX_HAS, this.rxWrite - this.rxTaken & 0xffff);
    this.put(S_RX_WRITE, this.rxWrite);
    this.common[SIR] = this.socket[S_IR] & this.socket[S_IMR] ? 1 : 0;
    const interrupts = (this.common[SIR] & this.common[SIMR]) !== 0;
    if (interrupts === this.isInterrupting) return;
    this.isInterrupting = interrupts;
    this.pins[PIN_INTERRUPT].setInputValue(!interrupts);
  }

  // One byte of SPI: returns what the chip puts out meanwhile.
  exchanged(octet) {
    if (this.head.length < 3) {
      this.head.push(octet);
      this.at = this.head[0] << 8 | this.head[1];
      return this.head.length;
    }
    const block = this.head[2] >> 3, at = this.at;
    this.at = at + 1 & 0xffff;
    if (!(this.head[2] & 4)) return this.read(block, at);
    this.write(block, at, octet);
    return 0;
  }

  read(block, at) {
    if (block === COMMON) return this.common[at] || 0;
    if (block === SOCKET) return this.socket[at] || 0;
    if (block === RX) return this.rx[at % BUFFER_BYTES];
    return block === TX ? this.tx[at % BUFFER_BYTES] : 0;
  }

  write(block, at, octet) {
    if (block === TX) this.tx[at % BUFFER_BYTES] = octet;
    else if (block === COMMON && at === MR && octet & RESET) this.reset();
    else if (block === COMMON) this.common[at] = octet;
    else if (block === SOCKET && at === S_CR) this.command(octet);
    else if (block === SOCKET && at === S_IR) this.socket[S_IR] &= ~octet;
    else if (block === SOCKET) this.socket[at] = octet;
    this.measure();
  }

  command(code) {
    if (code === OPEN) {
      this.empty();
      this.socket[S_SR] = (this.socket[S_MR] & 15) === 4 ? MACRAW : 0;
    } else if (code === CLOSE) {
      this.socket[S_SR] = 0;
    } else if (code === SEND) {
      const end = this.word(S_TX_WRITE), frame = Buffer.alloc(end - this.txRead & 0xffff);
      for (let at = 0; at < frame.length; at++) frame[at] = this.tx[(this.txRead + at) % BUFFER_BYTES];
      this.txRead = end;
      this.put(S_TX_READ, end);
      this.socket[S_IR] |= SENT;
      this.cable.sent(frame);
    } else if (code === RECV) {
      this.rxTaken = this.word(S_RX_READ);
    }
  }

  received(frame) {
    const octets = frame.length + 2;
    if (this.socket[S_SR] !== MACRAW || this.word(S_RX_HAS) + octets > BUFFER_BYTES) return;
    const isOurs = frame[0] & 1 || this.common.subarray(SHAR, SHAR + 6).every((octet, at) => octet === frame[at]);
    if (!isOurs) return;
    [octets >> 8, octets & 0xff, ...frame].forEach((octet, at) => { this.rx[(this.rxWrite + at) % BUFFER_BYTES] = octet; });
    this.rxWrite = this.rxWrite + octets & 0xffff;
    this.socket[S_IR] |= RECEIVED;
    this.measure();
  }
}
