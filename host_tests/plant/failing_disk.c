/* Calls of libc that fail as the file named by FAILING_DISK says (host_tests/plant/libc.py).

A line of that file is `CALLS ERRNO PATH LEAST`: calls, separated by commas, on the file that has this path now fail with
ERRNO, writes and syncs only if the last write was at LEAST or behind; 0 means that a write takes one byte less than it
was given. The file is read at every call: it may change. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define GOES_ON (-1)

static off64_t written_at;  /* where the last write was */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_one_of(const char *calls, const char *call) {
    size_t length = strlen(call);
    for (const char *at = strstr(calls, call); at; at = strstr(at + 1, call)) {
        if ((at == calls || at[-1] == ',') && (at[length] == ',' || at[length] == 0)) return 1;
    }
    return 0;
}

/* Return the error that this call has to fail with, GOES_ON if none: on the open file, or on a path if that is below 0. */
static int fails(const char *call, int file, const char *path) {
    static char orders[4096];
    const char *name = getenv("FAILING_DISK");
    if (!name) return GOES_ON;
    int opened = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    if (opened < 0) return GOES_ON;
    long got = syscall(SYS_read, opened, orders, sizeof(orders) - 1);
    syscall(SYS_close, opened);
    if (got <= 0) return GOES_ON;
    orders[got] = 0;
    char *rest = orders;
    for (char *line = strtok_r(orders, "\n", &rest); line; line = strtok_r(0, "\n", &rest)) {
        char calls[200], meant[1000];
        long long least;
        int error;
        if (sscanf(line, "%199s %d %999s %lld", calls, &error, meant, &least) != 4 || !is_one_of(calls, call)) continue;
        if (least > written_at) continue;
        struct stat its, now;
        if (file < 0 ? !strcmp(path, meant)
                     : !fstat(file, &its) && !stat(meant, &now) && its.st_ino == now.st_ino && its.st_dev == now.st_dev)
            return error;
    }
    return GOES_ON;
}

#define FAIL_OR(call, file, done) \
    int error = fails(call, file, ""); \
    if (error == GOES_ON) return done; \
    if (error) { errno = error; return -1; }

ssize_t pwrite64(int file, const void *from, size_t count, off64_t at) {
    written_at = at;
    FAIL_OR("write", file, REAL(pwrite64)(file, from, count, at))
    return REAL(pwrite64)(file, from, count ? count - 1 : 0, at);
}

ssize_t write(int file, const void *from, size_t count) {
    FAIL_OR("write", file, REAL(write)(file, from, count))
    return REAL(write)(file, from, count ? count - 1 : 0);
}

ssize_t preadv64v2(int file, const struct iovec *into, int count, off64_t at, int flags) {
    FAIL_OR("read", file, REAL(preadv64v2)(file, into, count, at, flags))
    return 0;
}

ssize_t pread64(int file, void *into, size_t count, off64_t at) {
    FAIL_OR("read", file, REAL(pread64)(file, into, count, at))
    return 0;
}

int fdatasync(int file) {
    FAIL_OR("sync", file, REAL(fdatasync)(file))
    return 0;
}

int fsync(int file) {
    FAIL_OR("sync", file, REAL(fsync)(file))
    return 0;
}

int ftruncate64(int file, off64_t length) {
    FAIL_OR("truncate", file, REAL(ftruncate64)(file, length))
    return 0;
}

int posix_fallocate64(int file, off64_t at, off64_t length) {
    int error = fails("allocate", file, "");
    return error > 0 ? error : REAL(posix_fallocate64)(file, at, length);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    int error = fails(flags & (O_WRONLY | O_RDWR) ? "open" : "open-to-read", -1, path);
    if (error > 0) { errno = error; return -1; }
    return REAL(open64)(path, flags, mode);
}
