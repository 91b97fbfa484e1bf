// Runs the simulated chip's instructions as rp2040js does, to the cycle, in a third of the time.
//
// 1. The simulator tries the encodings one after the other and looks up every address. Here a table says what an
//    opcode is, registers and flags stay in local variables, and RAM, flash and boot ROM are read as arrays.
// 2. What is rare is left to the simulator: other encodings, other addresses, interrupts. So it remains the reference
//    for the chip's behaviour, oddities included; `--plain` of rp.mjs leaves everything to it, and both must agree.
// 3. The clock is set before anything can read it, and moves on after each instruction, as the simulator's does.

const CYCLE_NS = 8;
const WAIT_TURNS = 50; // what waiting for the next alarm counts as
const RAM = 0x20000000;
const RAM_BYTES = 264 * 1024;
const FLASH = 0x10000000;
const FLASH_BYTES = 16 * 1024 * 1024;
const ROM_BYTES = 16 * 1024;
const FAR = 1 << 29; // cycles; a piece of the chip's life has fewer
const READ_32 = 1, READ_16 = 2, READ_8 = 3, WRITE_32 = 4, WRITE_16 = 5, WRITE_8 = 6;

// What an opcode is: the first row whose bits match. An opcode without a row is left to the simulator.
const ROWS = [
  '00000', '00001', '00010', // 1 LSLS, 2 LSRS, 3 ASRS by a number
  '0001100', '0001101', '0001110', '0001111', // 4 ADDS, 5 SUBS registers, 6 ADDS, 7 SUBS three bits
  '00100', '00101', '00110', '00111', // 8 MOVS, 9 CMP, 10 ADDS, 11 SUBS eight bits
  '0100000000', '0100000001', '0100000010', '0100000011', // 12 ANDS, 13 EORS, 14 LSLS, 15 LSRS
  '0100000100', '0100001000', '0100001001', '0100001010', // 16 ASRS, 17 TST, 18 RSBS, 19 CMP
  '0100001100', '0100001101', '0100001110', '0100001111', // 20 ORRS, 21 MULS, 22 BICS, 23 MVNS
  '01000100', '01000101', '01000110', // 24 ADD, 25 CMP, 26 MOV with high registers
  '010001110', '010001111', // 27 BX, 28 BLX
  '01001', // 29 LDR literal
  '0101000', '0101001', '0101010', '0101011', // 30 STR, 31 STRH, 32 STRB, 33 LDRSB with two registers
  '0101100', '0101101', '0101110', '0101111', // 34 LDR, 35 LDRH, 36 LDRB, 37 LDRSH
  '01100', '01101', '01110', '01111', '10000', '10001', // 38 STR, 39 LDR, 40 STRB, 41 LDRB, 42 STRH, 43 LDRH
  '10010', '10011', // 44 STR, 45 LDR beside SP
  '10100', '10101', '101100000', '101100001', // 46 ADR, 47 ADD to a register, 48 ADD, 49 SUB of SP
  '1011001000', '1011001001', '1011001010', '1011001011', // 50 SXTH, 51 SXTB, 52 UXTH, 53 UXTB
  '1011010', '1011110', '11000', '11001', // 54 PUSH, 55 POP, 56 STMIA, 57 LDMIA
  '11100', '11110', // 58 B, 59 BL
  '1101', // 60 B with a condition; 1110 and 1111 of them are others
  '0100000101', '0100000110', // 61 ADCS, 62 SBCS
];

const KIND = new Uint8Array(65536);
ROWS.forEach((row, index) => {
  const shift = 16 - row.length, first = parseInt(row, 2) << shift;
  KIND.fill(index + 1, first, first + (1 << shift));
});
KIND.fill(0, 0xde00, 0xe000); // UDF, SVC

// Returns a function that runs `chip` (with `mcu`, `clock`, `off`, `mayWaitNs`) for so many turns, or until it
// is off, or waits longer than it may.
export function runner(chip) {
  const { mcu, clock } = chip, { core } = mcu;
  const reg = new Int32Array(core.registers.buffer);
  const ram8 = mcu.sram, ram16 = new Uint16Array(ram8.buffer), ram32 = new Int32Array(ram8.buffer);
  const flash8 = mcu.flash, flash16 = mcu.flash16, flash32 = new Int32Array(flash8.buffer);
  const rom16 = new Uint16Array(mcu.bootrom.buffer), rom32 = new Int32Array(mcu.bootrom.buffer);

  // The cycles until the next alarm, which fires at the end of the first instruction that reaches it.
  const cyclesToAlarm = () =>
    clock.nextAlarm === null ? FAR : Math.min(FAR, Math.ceil((clock.nextAlarm.nanos - clock.nanosCounter) / CYCLE_NS));

  // Runs at most `most` instructions that are known here; returns how many. Stops at one that the simulator must run.
  function known(most) {
    let pc = reg[15], cycles = 0, turns = 0;
    let began = 0, due = cyclesToAlarm(); // the clock shows its value at the cycle `began`
    let carry = core.C, over = core.V, last = core.Z ? 0 : core.N ? -1 : 1; // N and Z are those of `last`
    let slow = 0; // memory with side effects was accessed: after it an interrupt may be waiting, or the power be off

    run: for (; turns < most; turns++) {
      let op;
      if (pc >>> 24 === 0x10) op = flash16[(pc & 0xffffff) >> 1];
      else if (((pc - RAM) >>> 0) < RAM_BYTES) op = ram16[(pc - RAM) >> 1];
      else if ((pc >>> 0) < ROM_BYTES) op = rom16[pc >> 1];
      else break;
      let took = 1, to = pc + 2, a, b, r, at;
      switch (KIND[op]) {
        case 1:
          a = reg[op >> 3 & 7]; b = op >> 6 & 31;
          if (b) carry = (a & 1 << 32 - b) !== 0;
          reg[op & 7] = last = a << b;
          break;
        case 2:
          a = reg[op >> 3 & 7]; b = op >> 6 & 31;
          carry = (a >>> (b ? b - 1 : 31) & 1) !== 0;
          reg[op & 7] = last = b ? a >>> b | 0 : 0;
          break;
        case 3:
          a = reg[op >> 3 & 7]; b = (op >> 6 & 31) || 32;
          carry = (a & 1 << b - 1) !== 0;
          reg[op & 7] = last = b < 32 ? a >> b : a >> 31;
          break;
        case 4: case 6: case 10:
          if (op >> 13) { a = reg[op >> 8 & 7]; b = op & 255; at = op >> 8 & 7; }
          else { a = reg[op >> 3 & 7]; b = op & 1 << 10 ? op >> 6 & 7 : reg[op >> 6 & 7]; at = op & 7; }
          r = a + b | 0;
          carry = (r >>> 0) < (a >>> 0);
          over = ((a ^ r) & (b ^ r)) < 0;
          reg[at] = last = r;
          break;
        case 5: case 7: case 11: case 9: case 18: case 19:
          switch (KIND[op]) {
            case 5: a = reg[op >> 3 & 7]; b = reg[op >> 6 & 7]; at = op & 7; break;
            case 7: a = reg[op >> 3 & 7]; b = op >> 6 & 7; at = op & 7; break;
            case 18: a = 0; b = reg[op >> 3 & 7]; at = op & 7; break;
            case 19: a = reg[op & 7]; b = reg[op >> 3 & 7]; at = -1; break;
            case 9: a = reg[op >> 8 & 7]; b = op & 255; at = -1; break;
            default: a = reg[op >> 8 & 7]; b = op & 255; at = op >> 8 & 7;
          }
          r = a - b | 0;
          carry = (a >>> 0) >= (b >>> 0);
          over = ((a ^ b) & (a ^ r)) < 0;
          if (at >= 0) reg[at] = r;
          last = r;
          break;
        case 8: reg[op >> 8 & 7] = last = op & 255; break;
        case 12: reg[op & 7] = last = reg[op & 7] & reg[op >> 3 & 7]; break;
        case 13: reg[op & 7] = last = reg[op & 7] ^ reg[op >> 3 & 7]; break;
        case 14:
          a = reg[op & 7]; b = reg[op >> 3 & 7] & 255;
          if (b) carry = (a & 1 << 32 - b) !== 0;
          reg[op & 7] = last = b >= 32 ? 0 : a << b;
          break;
        case 15:
          a = reg[op & 7]; b = reg[op >> 3 & 7] & 255;
          carry = b <= 32 && (a >>> b - 1 & 1) !== 0;
          reg[op & 7] = last = b < 32 ? a >>> b | 0 : 0;
          break;
        case 16:
          a = reg[op & 7]; b = Math.min(reg[op >> 3 & 7] & 255, 32);
          carry = (a & 1 << b - 1) !== 0;
          reg[op & 7] = last = b < 32 ? a >> b : a >> 31;
          break;
        case 17: last = reg[op & 7] & reg[op >> 3 & 7]; break;
        case 20: reg[op & 7] = last = reg[op & 7] | reg[op >> 3 & 7]; break;
        case 21: reg[op & 7] = last = Math.imul(reg[op & 7], reg[op >> 3 & 7]); break;
        case 22: reg[op & 7] = last = reg[op & 7] & ~reg[op >> 3 & 7]; break;
        case 23: reg[op & 7] = last = ~reg[op >> 3 & 7]; break;
        case 24: case 26:
          b = op >> 3 & 15; at = op >> 4 & 8 | op & 7;
          r = b === 15 ? pc + 4 : reg[b];
          if (KIND[op] === 24) r = r + (at === 15 ? pc + 4 : reg[at]) | 0;
          if (at === 15) { to = r & ~1; took = 2; }
          else reg[at] = at === 13 ? r & ~3 : r;
          break;
        case 25:
          a = op >> 4 & 8 | op & 7; b = op >> 3 & 15;
          if (a === 15 || b === 15) break run;
          a = reg[a]; b = reg[b]; r = a - b | 0;
          carry = (a >>> 0) >= (b >>> 0);
          over = ((a ^ b) & (a ^ r)) < 0;
          last = r;
          break;
        case 27: case 28:
          b = op >> 3 & 15;
          if (op & 7 || b === 15 || reg[b] >>> 28 === 15) break run; // 15: the return from an interrupt
          to = reg[b] & ~1;
          if (KIND[op] === 28) reg[14] = pc + 2 | 1;
          took = 2;
          break;
        case 29: case 34: case 39: case 45:
          switch (KIND[op]) {
            case 29: a = (pc + 4 & ~3) + ((op & 255) << 2) | 0; at = op >> 8 & 7; break;
            case 34: a = reg[op >> 6 & 7] + reg[op >> 3 & 7] | 0; at = op & 7; break;
            case 39: a = reg[op >> 3 & 7] + (op >> 4 & 0x7c) | 0; at = op & 7; break;
            default: a = reg[13] + ((op & 255) << 2) | 0; at = op >> 8 & 7;
          }
          if (a & 3) slow = READ_32;
          else if (((b = a - RAM) >>> 0) < RAM_BYTES) { took = 2; reg[at] = ram32[b >> 2]; }
          else if (((b = a - FLASH) >>> 0) < FLASH_BYTES) { took = 2; reg[at] = flash32[b >> 2]; }
          else if ((a >>> 0) < ROM_BYTES) { took = 2; reg[at] = rom32[a >> 2]; }
          else slow = READ_32;
          break;
        case 30: case 38: case 44:
          if (KIND[op] === 44) { a = reg[13] + ((op & 255) << 2) | 0; r = reg[op >> 8 & 7]; }
          else { a = reg[op >> 3 & 7] + (KIND[op] === 30 ? reg[op >> 6 & 7] : op >> 4 & 0x7c) | 0; r = reg[op & 7]; }
          if (((b = a - RAM) >>> 0) < RAM_BYTES && !(a & 3)) { took = 2; ram32[b >> 2] = r; }
          else slow = WRITE_32;
          break;
        case 31: case 42:
          a = reg[op >> 3 & 7] + (KIND[op] === 31 ? reg[op >> 6 & 7] : op >> 5 & 0x3e) | 0; r = reg[op & 7];
          if (((b = a - RAM) >>> 0) < RAM_BYTES && !(a & 1)) { took = 2; ram16[b >> 1] = r; }
          else slow = WRITE_16;
          break;
        case 32: case 40:
          a = reg[op >> 3 & 7] + (KIND[op] === 32 ? reg[op >> 6 & 7] : op >> 6 & 31) | 0; r = reg[op & 7];
          if (((b = a - RAM) >>> 0) < RAM_BYTES) { took = 2; ram8[b] = r; }
          else slow = WRITE_8;
          break;
        case 33: case 36: case 41:
          a = reg[op >> 3 & 7] + (KIND[op] === 41 ? op >> 6 & 31 : reg[op >> 6 & 7]) | 0;
          if (((b = a - RAM) >>> 0) < RAM_BYTES) { took = 2; r = ram8[b]; }
          else if (((b = a - FLASH) >>> 0) < FLASH_BYTES) { took = 2; r = flash8[b]; }
          else { slow = READ_8; break; }
          reg[op & 7] = KIND[op] === 33 ? r << 24 >> 24 : r;
          break;
        case 35: case 37: case 43:
          a = reg[op >> 3 & 7] + (KIND[op] === 43 ? op >> 5 & 0x3e : reg[op >> 6 & 7]) | 0;
          if (a & 1) { slow = READ_16; break; }
          else if (((b = a - RAM) >>> 0) < RAM_BYTES) { took = 2; r = ram16[b >> 1]; }
          else if (((b = a - FLASH) >>> 0) < FLASH_BYTES) { took = 2; r = flash16[b >> 1]; }
          else { slow = READ_16; break; }
          reg[op & 7] = KIND[op] === 37 ? r << 16 >> 16 : r;
          break;
        case 46: reg[op >> 8 & 7] = (pc & ~3) + 4 + ((op & 255) << 2); break;
        case 47: reg[op >> 8 & 7] = reg[13] + ((op & 255) << 2); break;
        case 48: reg[13] = reg[13] + ((op & 127) << 2) & ~3; break;
        case 49: reg[13] = reg[13] - ((op & 127) << 2) & ~3; break;
        case 50: reg[op & 7] = reg[op >> 3 & 7] << 16 >> 16; break;
        case 51: reg[op & 7] = reg[op >> 3 & 7] << 24 >> 24; break;
        case 52: reg[op & 7] = reg[op >> 3 & 7] & 0xffff; break;
        case 53: reg[op & 7] = reg[op >> 3 & 7] & 0xff; break;
        case 54:
          r = 0;
          for (b = op & 0x1ff; b; b &= b - 1) r += 4;
          a = reg[13] - r - RAM | 0;
          if ((a >>> 0) >= RAM_BYTES - 64) break run;
          reg[13] = a + RAM;
          for (at = 0; at < 8; at++) if (op & 1 << at) { ram32[a >> 2] = reg[at]; a += 4; took++; }
          if (op & 0x100) ram32[a >> 2] = reg[14];
          break;
        case 55:
          a = reg[13] - RAM | 0;
          if ((a >>> 0) >= RAM_BYTES - 64) break run;
          if (op & 0x100) {
            r = 0;
            for (b = op & 0xff; b; b &= b - 1) r += 4;
            r = ram32[a + r >> 2];
            if (r >>> 28 === 15) break run;
            to = r & ~1;
            took = 3;
          }
          for (at = 0; at < 8; at++) if (op & 1 << at) { reg[at] = ram32[a >> 2]; a += 4; took++; }
          reg[13] = a + RAM + (op & 0x100 ? 4 : 0);
          break;
        case 56: case 57:
          b = op >> 8 & 7; a = reg[b] - RAM | 0;
          if ((a >>> 0) >= RAM_BYTES - 64 || a & 3) break run;
          if (KIND[op] === 56) {
            for (at = 0; at < 8; at++) if (op & 1 << at) { ram32[a >> 2] = reg[at]; a += 4; took++; }
          } else {
            for (at = 0; at < 8; at++) if (op & 1 << at) { reg[at] = ram32[a >> 2]; a += 4; took++; }
          }
          if (!(op & 1 << b)) reg[b] = a + RAM;
          break;
        case 58: to = pc + 4 + (op << 21 >> 20); took = 2; break;
        case 59:
          r = pc + 2;
          if (pc >>> 24 === 0x10) b = flash16[(r & 0xffffff) >> 1];
          else if (((r - RAM) >>> 0) < RAM_BYTES) b = ram16[(r - RAM) >> 1];
          else if ((r >>> 0) < ROM_BYTES) b = rom16[r >> 1];
          else break run;
          if (b >> 14 !== 3 || !(b & 1 << 12)) break run;
          a = op << 21 >> 31; // the sign
          at = a << 24 | ((b >> 13 ^ a ^ 1) & 1) << 23 | ((b >> 11 ^ a ^ 1) & 1) << 22 | (op & 0x3ff) << 12 | (b & 0x7ff) << 1;
          reg[14] = pc + 4 | 1;
          to = pc + 4 + at;
          took = 3;
          break;
        case 60:
          switch (op >> 9 & 7) {
            case 0: a = last === 0; break;
            case 1: a = carry; break;
            case 2: a = last < 0; break;
            case 3: a = over; break;
            case 4: a = carry && last !== 0; break;
            case 5: a = last < 0 === over; break;
            default: a = last < 0 === over && last !== 0;
          }
          if (a !== ((op & 0x100) !== 0)) { to = pc + 4 + (op << 24 >> 23); took = 2; }
          break;
        case 61:
          a = reg[op >> 3 & 7] >>> 0; b = (reg[op & 7] >>> 0) + (carry ? 1 : 0); r = a + b;
          carry = r !== r >>> 0;
          over = (r | 0) !== (a | 0) + (b | 0);
          reg[op & 7] = last = r | 0;
          break;
        case 62:
          a = reg[op & 7] >>> 0; b = (reg[op >> 3 & 7] >>> 0) + (carry ? 0 : 1); r = a - b | 0;
          carry = a >= b;
          over = ((a ^ b) & (a ^ r)) < 0;
          reg[op & 7] = last = r;
          break;
        default: break run;
      }
      if (slow) {
        clock.nanosCounter += (cycles - began) * CYCLE_NS;
        began = cycles;
        took += core.cyclesIO(a, slow >= WRITE_32);
        if (slow === READ_32) reg[at] = mcu.readUint32(a);
        else if (slow === WRITE_32) mcu.writeUint32(a >>> 0, r >>> 0);
        else if (slow === READ_8) { r = mcu.readUint8(a >>> 0); reg[op & 7] = KIND[op] === 33 ? r << 24 >> 24 : r; }
        else if (slow === READ_16) { r = mcu.readUint16(a >>> 0); reg[op & 7] = KIND[op] === 37 ? r << 16 >> 16 : r; }
        else if (slow === WRITE_8) mcu.writeUint8(a >>> 0, r >>> 0);
        else mcu.writeUint16(a >>> 0, r >>> 0);
      }
      pc = to;
      cycles += took;
      if (slow || cycles >= due) {
        clock.nanosCounter += (cycles - took - began) * CYCLE_NS;
        clock.tick(took * CYCLE_NS);
        began = cycles;
        due = cycles + cyclesToAlarm();
        slow = 0;
        if (core.interruptsUpdated || chip.off) { turns++; break; }
      }
    }
    reg[15] = pc;
    core.N = last < 0;
    core.Z = last === 0;
    core.C = carry;
    core.V = over;
    core.cycles += cycles;
    clock.nanosCounter += (cycles - began) * CYCLE_NS;
    return turns;
  }

  return function run(most, plain) {
    for (let turn = 0; turn < most && !chip.off; turn++) {
      if (core.waiting) {
        const most = chip.mayWaitNs;
        if (clock.nextAlarm === null ? most < Infinity : clock.nanosToNextAlarm > most) {
          clock.tick(Math.max(most, 0));
          break;
        }
        clock.tick(clock.nanosToNextAlarm);
        turn += WAIT_TURNS;
        continue;
      }
      if (!plain && !core.interruptsUpdated) {
        turn += known(most - turn);
        if (turn >= most || chip.off) break;
        if (core.interruptsUpdated) { turn--; continue; }
      }
      clock.tick(core.executeInstruction() * CYCLE_NS);
    }
  };
}
