// What the Cortex-M3 firmware has beyond the stock one: time, select, streams on stdin; everything else as it is.
#include "ports/qemu/mpconfigport.h"

#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)
#undef MICROPY_PY_SYS_STDIO_BUFFER
#define MICROPY_PY_SYS_STDIO_BUFFER (1)
#define MICROPY_ENABLE_EXTERNAL_IMPORT (1)
#define MICROPY_PY_IO_IOBASE (1)
#define MICROPY_PY_SYS_STDFILES (1)
#define MICROPY_PY_MACHINE_MEMX (1)
// As the RP2 and ESP32 ports have it: what is counted here is to tell what happens there.
#define MICROPY_OPT_COMPUTED_GOTO (1)
