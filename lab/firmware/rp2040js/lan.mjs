// The network at the other end of a simulated board's cable: an address by DHCP, names, and TCP to this machine.
//
//     10.0.2.2   router, name server, and every peer: a connection to any host goes to the same port of 127.0.0.1
//     10.0.2.15  the board
//
// 1. Nothing leaves this machine, whatever host the board asks for. Every name is 10.0.2.2.
// 2. A connection that the board forgets in a power cut stays open until it refuses what its peer sends: as in a plant.
// 3. No frame is lost on the cable, but the board may drop one: what it has not acknowledged is sent again.
import net from 'net';

const MAC = Buffer.from([2, 0, 0, 0, 0, 2]);
const HERE = Buffer.from([10, 0, 2, 2]), BOARD = Buffer.from([10, 0, 2, 15]), MASK = Buffer.from([255, 255, 255, 0]);
const ALL = Buffer.from([255, 255, 255, 255]);
const ARP = 0x0806, IP = 0x0800, UDP = 17, TCP = 6;
const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16;
const SEGMENT_BYTES = 536; // what every stack takes
const WINDOW_BYTES = 8192;
const AGAIN_MS = 1000;
const QUEUE_MOST = 65536;

const u16 = (value) => [value >> 8 & 0xff, value & 0xff];
const u32 = (value) => [value >>> 24, value >> 16 & 0xff, value >> 8 & 0xff, value & 0xff];

function checksum(octets) {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += octets[at] << 8 | (octets[at + 1] || 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export class Lan {
  // `now.names` says whether the name server answers at this time.
  constructor(wake, now) {
    this.wake = wake; // a frame may have to end the board's sleep
    this.now = now;
    this.received = () => {};
    this.board = ALL.subarray(0, 6);
    this.flows = new Map();
    this.count = 0;
  }

  // A frame of the board.
  sent(frame) {
    this.board = frame.subarray(6, 12);
    const kind = frame.readUInt16BE(12), rest = frame.subarray(14);
    if (kind === ARP) this.asked(rest);
    if (kind !== IP) return;
    const octets = rest.subarray(0, rest.readUInt16BE(2)), body = octets.subarray((octets[0] & 15) * 4);
    const to = octets.subarray(16, 20);
    if (octets[9] === UDP && body.readUInt16BE(2) === 67) this.leased(body.subarray(8));
    if (octets[9] === UDP && body.readUInt16BE(2) === 53) this.named(to, body);
    if (octets[9] === TCP) this.segment(to, body);
  }

  deliver(kind, octets) {
    const frame = Buffer.concat([Buffer.from(this.board), MAC, Buffer.from(u16(kind)), octets]);
    setImmediate(() => { this.received(frame); this.wake(); });
  }

  asked(question) {
    const target = question.subarray(24, 28);
    if (question.readUInt16BE(6) !== 1 || target.equals(BOARD)) return; // nobody else has the board's address
    const answer = [Buffer.from([0, 1, 8, 0, 6, 4, 0, 2]), MAC, target, question.subarray(8, 14), question.subarray(14, 18)];
    this.deliver(ARP, Buffer.concat(answer));
  }

  packet(kind, from, to, body) {
    const head = Buffer.from([0x45, 0, ...u16(20 + body.length), ...u16(++this.count & 0xffff), 0, 0, 64, kind, 0, 0, ...from, ...to]);
    head.writeUInt16BE(checksum(head), 10);
    this.deliver(IP, Buffer.concat([head, body]));
  }

  datagram(from, to, ports, data) {
    this.packet(UDP, from, to, Buffer.concat([Buffer.from([...u16(ports[0]), ...u16(ports[1]), ...u16(8 + data.length), 0, 0]), data]));
  }

  leased(question) {
    let kind = 0;
    for (let at = 240; question[at] !== 255 && at < question.length; at += 2 + question[at + 1]) {
      if (question[at] === 53) kind = question[at + 2];
    }
    if (kind !== 1 && kind !== 3) return; // DISCOVER, REQUEST
    const answer = Buffer.alloc(240);
    question.copy(answer, 0, 0, 240);
    answer[0] = 2;
    BOARD.copy(answer, 16);
    const options = [53, 1, kind === 1 ? 2 : 5, 54, 4, ...HERE, 51, 4, ...u32(86400), 1, 4, ...MASK, 3, 4, ...HERE, 6, 4, ...HERE, 255];
    this.datagram(HERE, ALL, [67, 68], Buffer.concat([answer, Buffer.from(options)]));
  }

  named(to, question) {
    if (!this.now.names) return;
    const asks = question.subarray(8);
    const head = Buffer.from([...asks.subarray(0, 2), 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, ...u32(60), 0, 4, ...HERE]);
    this.datagram(to, BOARD, [53, question.readUInt16BE(0)], Buffer.concat([head, asks.subarray(12), record]));
  }

  segment(to, octets) {
    const ports = [octets.readUInt16BE(0), octets.readUInt16BE(2)], key = `${ports} ${to.join('.')}`;
    const flags = octets[13];
    if (flags & SYN) {
      this.flows.get(key)?.forget();
      this.flows.set(key, new Flow(this, key, to, ports, octets.readUInt32BE(4)));
      return;
    }
    const flow = this.flows.get(key);
    if (flow) flow.segment(octets, flags);
    else if (!(flags & RST)) this.reply(to, ports, RST | ACK, octets.readUInt32BE(8), octets.readUInt32BE(4));
  }

  reply(from, [board, peer], flags, sequence, acknowledged, data = Buffer.alloc(0)) {
    const head = Buffer.from([
      ...u16(peer), ...u16(board), ...u32(sequence), ...u32(acknowledged), 0x50, flags, ...u16(WINDOW_BYTES), 0, 0, 0, 0,
    ]);
    const pseudo = Buffer.from([...from, ...BOARD, 0, TCP, ...u16(head.length + data.length)]);
    head.writeUInt16BE(checksum(Buffer.concat([pseudo, head, data])), 16);
    this.packet(TCP, from, BOARD, Buffer.concat([head, data]));
  }
}

// One connection of the board, carried by a socket of this machine.
class Flow {
  constructor(lan, key, to, ports, sequence) {
    Object.assign(this, { lan, key, to: Buffer.from(to), ports, next: sequence + 1 >>> 0, sequence: 1, acked: 1, window: 0 });
    this.queue = Buffer.alloc(0); // for the board, from `acked` on
    this.isUp = this.isEnding = this.isOver = this.hasEnded = false; // the peer has ended, the board knows; the board has
    this.socket = net.connect(ports[1], '127.0.0.1').setNoDelay();
    this.socket.on('connect', () => { this.send(SYN | ACK, 0); this.sequence = this.acked = 1; });
    this.socket.on('data', (octets) => {
      this.queue = Buffer.concat([this.queue, octets]);
      if (this.queue.length > QUEUE_MOST) this.socket.pause();
      this.push();
    });
    this.socket.on('end', () => { this.isEnding = true; this.push(); });
    this.socket.on('error', () => this.drop());
  }

  send(flags, sequence, data) { this.lan.reply(this.to, this.ports, flags, sequence, this.next, data); }

  // One segment is under way at a time; the end counts as one byte behind the last.
  push(again = false) {
    if (!this.isUp || this.isOver || (this.sequence !== this.acked && !again)) return;
    const data = this.queue.subarray(0, Math.min(SEGMENT_BYTES, this.window));
    const ends = this.isEnding && data.length === this.queue.length;
    if (!data.length && !ends) return;
    this.send(ACK | PSH | (ends ? FIN : 0), this.acked, data);
    this.sequence = this.acked + data.length + (ends ? 1 : 0);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.push(true), AGAIN_MS);
  }

  segment(octets, flags) {
    if (flags & RST) { this.forget(); return; }
    this.window = octets.readUInt16BE(14);
    if (flags & ACK && octets.readUInt32BE(8) === this.sequence) this.acknowledged();
    const data = octets.subarray((octets[12] >> 4) * 4), isNext = octets.readUInt32BE(4) === this.next;
    if (isNext && data.length) { this.socket.write(Buffer.from(data)); this.next = this.next + data.length >>> 0; }
    if (isNext && flags & FIN) { this.next = this.next + 1 >>> 0; this.socket.end(); this.hasEnded = true; }
    if (data.length || flags & FIN) this.send(ACK, this.sequence);
    if (this.isOver && this.hasEnded) this.forget();
    this.push();
  }

  acknowledged() {
    clearTimeout(this.timer);
    this.isUp = true;
    const taken = Math.min(this.sequence - this.acked, this.queue.length);
    this.isOver = this.sequence - this.acked > taken;
    this.queue = this.queue.subarray(taken);
    this.acked = this.sequence;
    if (this.queue.length <= QUEUE_MOST) this.socket.resume();
  }

  // The other side is gone, or was never there.
  drop() {
    this.send(RST | ACK, this.isUp ? this.sequence : 0);
    this.forget();
  }

  forget() {
    clearTimeout(this.timer);
    this.isOver = true;
    if (!this.hasEnded || !this.isEnding) this.socket.resetAndDestroy();
    this.lan.flows.delete(this.key);
  }
}
