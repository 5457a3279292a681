/* Faults of the disk and the clock, for programs that are started with LD_PRELOAD.
 *
 * SHIM_FAULTS names a file of lines `WHAT PATH NUMBER`; it is read anew when it changes. Of a thousand calls on files
 * below PATH, NUMBER fail: WHAT is `eio`, `full`, `quota`, `readonly`, `interrupted`, `short` (half of it is written) or
 * `sync` (EIO, of syncs alone); or `clock` (PATH is `-`, NUMBER the seconds that the wall clock is ahead). Built by the
 * tests with `cc -shared -fPIC`. */
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
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RULES 16
#define REAL(name) ((__typeof__(&name)) real(#name))

enum { SHORT_RULE = -1, CLOCK_RULE = -2, SYNC_RULE = -3 }; /* or the errno */
static const struct { const char *name; int what; } names[] = {
    {"eio", EIO}, {"full", ENOSPC}, {"quota", EDQUOT}, {"readonly", EROFS}, {"interrupted", EINTR},
    {"short", SHORT_RULE}, {"clock", CLOCK_RULE}, {"sync", SYNC_RULE},
};
struct rule { int what; long number; char path[512]; };
static struct rule rules[RULES];
static int count;
static struct timespec seen;
static __thread unsigned drawn;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void look(void) {
    const char *control = getenv("SHIM_FAULTS");
    struct stat now;
    if (!control || syscall(SYS_newfstatat, AT_FDCWD, control, &now, 0) != 0) { count = 0; return; }
    if (now.st_mtim.tv_sec == seen.tv_sec && now.st_mtim.tv_nsec == seen.tv_nsec) return;
    seen = now.st_mtim;
    char text[8192];
    int file = (int) syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0) return;
    long size = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    text[size > 0 ? size : 0] = 0;
    int found = 0;
    char *rest = text, *line;
    while (found < RULES && (line = strsep(&rest, "\n"))) {
        char what[16];
        struct rule *one = &rules[found];
        if (sscanf(line, "%15s %511s %ld", what, one->path, &one->number) != 3) continue;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (!strcmp(what, names[i].name)) { one->what = names[i].what; found++; }
    }
    count = found;
}

static int falls(const struct rule *one, const char *path) {
    if (strncmp(path, one->path, strlen(one->path))) return 0;
    if (!drawn) drawn = (unsigned) (getpid() * 2654435761u) ^ (unsigned) syscall(SYS_gettid);
    drawn = drawn * 1103515245u + 12345u;
    return (long) (drawn >> 8) % 1000 < one->number;
}

static size_t syncing;

/* The errno of a write, sync or creation; 0 for none. `size`: how much may be written; of a sync, &syncing. */
static int fault(const char *path, size_t *size) {
    look();
    for (int i = 0; i < count; i++) {
        if (rules[i].what == CLOCK_RULE || !falls(&rules[i], path)) continue;
        if (rules[i].what > 0) return rules[i].what;
        if (rules[i].what == SYNC_RULE && size == &syncing) return EIO;
        if (rules[i].what == SHORT_RULE && size && *size > 1 && size != &syncing) *size /= 2;
    }
    return 0;
}

static int fault_of(int file, size_t *size) {
    char name[64], path[1024];
    int kept = errno;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlinkat, AT_FDCWD, name, path, sizeof path - 1);
    errno = kept;
    if (length <= 0) return 0;
    path[length] = 0;
    return fault(path, size);
}

#define FAIL_IF(found) do { int e_ = (found); if (e_) { errno = e_; return -1; } } while (0)

ssize_t write(int file, const void *data, size_t size) {
    if (file > 2) FAIL_IF(fault_of(file, &size));
    return REAL(write)(file, data, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    FAIL_IF(fault_of(file, &size));
    return REAL(pwrite)(file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    FAIL_IF(fault_of(file, &size));
    return REAL(pwrite64)(file, data, size, at);
}
int fsync(int file) { FAIL_IF(fault_of(file, &syncing)); return REAL(fsync)(file); }
int fdatasync(int file) { FAIL_IF(fault_of(file, &syncing)); return REAL(fdatasync)(file); }
int rename(const char *from, const char *to) { FAIL_IF(fault(to, 0)); return REAL(rename)(from, to); }
int mkdir(const char *path, mode_t mode) { FAIL_IF(fault(path, 0)); return REAL(mkdir)(path, mode); }

#define OPEN(name)                                                              \
    int name(const char *path, int flags, ...) {                                \
        mode_t mode = 0;                                                        \
        if (flags & (O_CREAT | O_TMPFILE)) {                                    \
            va_list more;                                                       \
            va_start(more, flags);                                              \
            mode = va_arg(more, mode_t);                                        \
            va_end(more);                                                       \
            if (flags & O_CREAT && access(path, F_OK)) FAIL_IF(fault(path, 0)); \
        }                                                                       \
        return REAL(name)(path, flags, mode);                                   \
    }
OPEN(open)
OPEN(open64)

static long ahead(void) {
    look();
    for (int i = 0; i < count; i++)
        if (rules[i].what == CLOCK_RULE) return rules[i].number;
    return 0;
}
int clock_gettime(clockid_t which, struct timespec *now) {
    int done = (int) syscall(SYS_clock_gettime, which, now);
    if (!done && which == CLOCK_REALTIME) now->tv_sec += ahead();
    return done;
}
time_t time(time_t *kept) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (kept) *kept = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int done = (int) syscall(SYS_gettimeofday, now, zone);
    if (!done) now->tv_sec += ahead();
    return done;
}
