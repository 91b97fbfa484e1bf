// Starts MicroPython on the Cortex-M3 with the heap the PC asks for, runs `launch`, then offers the REPL.
//
// The heap's size is in the command line ("heap=65536 ..."), because tests name the heap they need, and the stack is
// that of an RP2040, so that what recurses too deeply fails here first.
#include <stdlib.h>
#include <string.h>

#include "py/compile.h"
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stackctrl.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"
#include "hal.h"

#define STACK_BYTES (TOOLCART_STACK_BYTES)

// The second half of the board's 16 MB; in the first lie the modules.
#define HEAP ((char *)0x21800000)
#define HEAP_MOST_BYTES (8u * 1024 * 1024)

static size_t heap_bytes(void) {
    char line[512];
    host_command_line(line, sizeof(line));
    const char *asked = strstr(line, "heap=");
    size_t bytes = 0;
    for (asked = asked ? asked + 5 : ""; *asked >= '0' && *asked <= '9'; ++asked) {
        bytes = bytes * 10 + (*asked - '0');
    }
    if (bytes > HEAP_MOST_BYTES) {
        mp_printf(&mp_plat_print, "a heap of %u octets is more than this machine has\n", (unsigned)bytes);
        exit(1);
    }
    return bytes ? bytes & ~(size_t)15 : MICROPY_HEAP_SIZE;
}

int main(int argc, char **argv) {
    mp_stack_ctrl_init();
    mp_stack_set_limit(STACK_BYTES);
    gc_init(HEAP, HEAP + heap_bytes());
    for (;;) {
        mp_init();
        pyexec_frozen_module("launch.py", false);
        while ((pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl()) == 0) {
        }
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        gc_sweep_all();
        mp_deinit();
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void *value) {
    mp_printf(&mp_plat_print, "uncaught exception outside of everything\n");
    exit(1);
}
