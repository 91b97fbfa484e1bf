// Time from the CMSDK timer, and the module `mps2`: the PC's command line, its files, the end with an exit code.
//
// Timer 0 of the board counts down at 25 MHz. Under `-icount shift=5` an instruction takes 32 ns, so
// instructions = ticks_cpu * 40 / 32. Divisions are of 32 bit only: the 64-bit ones would pull in unwinding tables.
#include <string.h>
#include "py/mphal.h"
#include "py/runtime.h"
#include "hal.h"

#define TIMER ((volatile uint32_t *)0x40000000)
#define TICKS_PER_US (25)

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_READ = 0x06, SYS_FLEN = 0x0c, SYS_CMDLINE = 0x15, SYS_EXIT_CODE = 0x20 };

static uint32_t last, rest_ticks, rest_us, total_us, total_ms;
static int running;

static void update(void) {
    if (!running) {
        TIMER[2] = 0xffffffff;
        TIMER[1] = 0xffffffff;
        TIMER[0] = 1;
        last = 0xffffffff;
        running = 1;
    }
    uint32_t count = TIMER[1];
    uint32_t passed = last - count;
    last = count;
    rest_ticks += passed % TICKS_PER_US;
    uint32_t us = passed / TICKS_PER_US + rest_ticks / TICKS_PER_US;
    rest_ticks %= TICKS_PER_US;
    total_us += us;
    rest_us += us;
    total_ms += rest_us / 1000;
    rest_us %= 1000;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    update();
    return 0xffffffff - last;
}

mp_uint_t mp_hal_ticks_us(void) {
    update();
    return total_us;
}

mp_uint_t mp_hal_ticks_ms(void) {
    update();
    return total_ms;
}

uint64_t mp_hal_time_ns(void) {
    update();
    return (uint64_t)total_us * 1000;
}

void mp_hal_delay_us(mp_uint_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    while (mp_hal_ticks_us() - start < us) {
        mp_handle_pending(true);
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    while (mp_hal_ticks_ms() - start < ms) {
        mp_handle_pending(true);
    }
}

int host_call(int operation, const void *arguments) {
    register int r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile ("bkpt 0xab" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
}

int host_command_line(char *buf, size_t size) {
    uintptr_t arguments[] = {(uintptr_t)buf, size};
    if (host_call(SYS_CMDLINE, arguments) != 0) {
        buf[0] = 0;
        return 0;
    }
    return (int)arguments[1];
}

void host_exit(int code) {
    uintptr_t arguments[] = {0x20026, (uintptr_t)code}; // the application's own end
    host_call(SYS_EXIT_CODE, arguments);
    for (;;) {
    }
}

static mp_obj_t mps2_exit(mp_obj_t code) {
    host_exit(mp_obj_get_int(code));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_exit_obj, mps2_exit);

static mp_obj_t mps2_command_line(void) {
    char buf[512];
    host_command_line(buf, sizeof(buf));
    return mp_obj_new_str(buf, strlen(buf));
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_command_line_obj, mps2_command_line);

static mp_obj_t mps2_read_file(mp_obj_t path) {
    size_t length;
    const char *name = mp_obj_str_get_data(path, &length);
    uintptr_t opening[] = {(uintptr_t)name, 1, length}; // 1: "rb"
    int handle = host_call(SYS_OPEN, opening);
    if (handle < 0) {
        mp_raise_OSError(2);
    }
    uintptr_t of_handle[] = {(uintptr_t)handle};
    int bytes = host_call(SYS_FLEN, of_handle);
    vstr_t text;
    vstr_init_len(&text, bytes);
    uintptr_t reading[] = {(uintptr_t)handle, (uintptr_t)text.buf, (uintptr_t)bytes};
    host_call(SYS_READ, reading);
    host_call(SYS_CLOSE, of_handle);
    return mp_obj_new_bytes_from_vstr(&text);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_read_file_obj, mps2_read_file);

static const mp_rom_map_elem_t mps2_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mps2)},
    {MP_ROM_QSTR(MP_QSTR_exit), MP_ROM_PTR(&mps2_exit_obj)},
    {MP_ROM_QSTR(MP_QSTR_command_line), MP_ROM_PTR(&mps2_command_line_obj)},
    {MP_ROM_QSTR(MP_QSTR_read_file), MP_ROM_PTR(&mps2_read_file_obj)},
};
static MP_DEFINE_CONST_DICT(mps2_globals, mps2_globals_table);

const mp_obj_module_t mps2_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&mps2_globals,
};
MP_REGISTER_MODULE(MP_QSTR_mps2, mps2_module);
