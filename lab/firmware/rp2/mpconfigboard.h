// A Pico with the core frozen. The flash behind the program is divided by modules/_boot.py: files, then the spool's ring.
#define MICROPY_HW_BOARD_NAME "Raspberry Pi Pico, toolcart"
#define MICROPY_HW_FLASH_STORAGE_BYTES (1280 * 1024)
// Debian's source package comes without mbedtls: nothing here speaks TLS, SHA-256 is MicroPython's own.
#define MICROPY_PY_SSL (0)
// One block for a read-only file system: it brings in ROMFS, from which tests run whole trees of modules in place.
#define MICROPY_HW_ROMFS_BYTES (4096)
