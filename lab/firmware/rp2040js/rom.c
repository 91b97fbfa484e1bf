// A boot ROM for the RP2040 simulator, which has none: the tables and functions that MicroPython's image looks up.
//
// 1. Layout as the data sheet's (2.8.2): at 0x10 'M' 'u' 1 and the version, at 0x14 the two tables and the look-up.
// 2. Erase and program touch the flash only here, one word at a time: the simulator may be stopped between any two.
// 3. Programming clears bits and never sets one, as a NOR flash does.
// 4. What MicroPython does not use stops the simulator, so that a gap is seen.
#include <stddef.h>
#include <stdint.h>

#define FLASH 0x10000000u

static void reset(void) {
    for (;;) {
        __asm volatile ("wfi");
    }
}

static void missing(void) {
    __asm volatile ("bkpt #7");
}

static void nothing(void) {
}

static void *look_up(const uint16_t *table, uint32_t code) {
    for (; *table; table += 2) {
        if (*table == code) {
            return (void *)(uintptr_t)table[1];
        }
    }
    return NULL;
}

static void *copy_octets(uint8_t *to, const uint8_t *from, uint32_t count) {
    for (uint32_t at = 0; at < count; ++at) {
        to[at] = from[at];
    }
    return to;
}

static void *set_octets(uint8_t *to, int octet, uint32_t count) {
    for (uint32_t at = 0; at < count; ++at) {
        to[at] = (uint8_t)octet;
    }
    return to;
}

static uint32_t count_ones(uint32_t word) {
    uint32_t count = 0;
    for (; word; word &= word - 1) {
        ++count;
    }
    return count;
}

static uint32_t leading_zeros(uint32_t word) {
    uint32_t count = 0;
    for (uint32_t mask = 0x80000000u; mask && !(word & mask); mask >>= 1) {
        ++count;
    }
    return count;
}

static uint32_t trailing_zeros(uint32_t word) {
    uint32_t count = 0;
    for (uint32_t mask = 1; mask && !(word & mask); mask <<= 1) {
        ++count;
    }
    return count;
}

static uint32_t reverse_bits(uint32_t word) {
    uint32_t turned = 0;
    for (int bit = 0; bit < 32; ++bit, word >>= 1) {
        turned = turned << 1 | (word & 1);
    }
    return turned;
}

static void flash_erase(uint32_t offset, uint32_t count, uint32_t block_bytes, uint32_t command) {
    volatile uint32_t *word = (volatile uint32_t *)(FLASH + offset);
    for (count /= 4; count; --count) {
        *word++ = 0xffffffffu;
    }
}

static void flash_program(uint32_t offset, const uint8_t *from, uint32_t count) {
    volatile uint32_t *word = (volatile uint32_t *)(FLASH + offset);
    for (count /= 4; count; --count, ++word, from += 4) {
        uint32_t asked = from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
        *word = *word & asked;
    }
}

extern float __aeabi_fadd(float, float), __aeabi_fsub(float, float), __aeabi_fmul(float, float);
extern float __aeabi_fdiv(float, float), __aeabi_i2f(int), __aeabi_ui2f(uint32_t), __aeabi_l2f(long long);
extern float __aeabi_ul2f(unsigned long long);
extern int __aeabi_f2iz(float);
extern uint32_t __aeabi_f2uiz(float);
extern void __aeabi_cfcmple(float, float);
extern long long __aeabi_f2lz(float);
extern unsigned long long __aeabi_f2ulz(float);
extern double __aeabi_f2d(float);

// The table of single precision functions, 32 of them behind a word whose third octet is their number; the same
// serves for double precision, which MicroPython's RP2040 build computes without it.
#define F(function) ((const void *)(function))
__attribute__((section(".floats"), used)) const void *const floats[33] = {
    F(0x00200000), F(__aeabi_fadd), F(__aeabi_fsub), F(__aeabi_fmul), F(__aeabi_fdiv), F(missing), F(__aeabi_cfcmple),
    F(missing), F(__aeabi_f2iz), F(missing), F(__aeabi_f2uiz), F(missing), F(__aeabi_i2f), F(missing),
    F(__aeabi_ui2f), F(missing), F(missing), F(missing), F(missing), F(missing), F(missing), F(missing), F(missing),
    F(missing), F(__aeabi_l2f), F(missing), F(__aeabi_ul2f), F(missing), F(__aeabi_f2lz), F(missing),
    F(__aeabi_f2ulz), F(missing), F(__aeabi_f2d),
};

// Thumb functions have odd addresses, which the assembler has to be told where they stand in a halfword.
__asm(
    ".section .vectors, \"a\"\n"
    " .word 0x20042000, reset+1, reset+1, reset+1\n"
    " .byte 'M', 'u', 1, 3\n"
    " .hword functions, tables, look_up+1, 0\n"
    " .align 2\n"
    ".macro entry first, second, function\n .byte \\first, \\second\n .hword \\function+1\n.endm\n"
    "functions:\n"
    " entry 'P','3',count_ones\n entry 'R','3',reverse_bits\n entry 'L','3',leading_zeros\n"
    " entry 'T','3',trailing_zeros\n entry 'M','S',set_octets\n entry 'S','4',set_octets\n"
    " entry 'M','C',copy_octets\n entry 'C','4',copy_octets\n entry 'I','F',nothing\n entry 'E','X',nothing\n"
    " entry 'R','E',flash_erase\n entry 'R','P',flash_program\n entry 'F','C',nothing\n entry 'C','X',nothing\n"
    " entry 'U','B',reset\n .word 0\n"
    "tables:\n .byte 'S','F'\n .hword floats+4\n .byte 'S','D'\n .hword floats+4\n .word 0\n"
    " .text\n");

__attribute__((used)) static void *const kept[] = {
    reset, missing, nothing, look_up, copy_octets, set_octets, count_ones, leading_zeros, trailing_zeros,
    reverse_bits, flash_erase, flash_program,
};
