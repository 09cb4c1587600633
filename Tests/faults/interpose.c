/* Makes one call of a process fail, or ends the process there: loaded before its libraries (LD_PRELOAD), in tests alone.
 *
 *     FAULT_FOLDER  calls on files below it count; sends and receives count on sockets, receives where there is something to receive
 *     FAULT_CALL    write, fsync, rename, link, send, receive, or any
 *     FAULT_AT      which of these calls, from 1; 0 or none: only counts
 *     FAULT_KIND    full: this and every later write has no space, once half of the first is written
 *                   error: EIO, this once          short: half of it is written, once
 *                   kill: the process ends before the call          after: and after it
 *                   late: no call fails, but each signal that asks for the end is listened for a second late
 *     FAULT_TALLY   a file: how many calls of each kind there were, 8 bytes each in the order above, and of all; then by how many seconds
 *                   the wall clock is ahead, which the test writes there at any time; then what was struck
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { CALL_WRITE, CALL_FSYNC, CALL_RENAME, CALL_LINK, CALL_SEND, CALL_RECEIVE, CALLS };
static const char *const names[CALLS] = {"write", "fsync", "rename", "link", "send", "receive"};
enum verdict { PASS, NO_SPACE, HALF, HALF_THEN_FULL, BROKEN, END_AFTER };

struct tally {
    _Atomic unsigned long calls[CALLS];
    _Atomic unsigned long all;
    _Atomic long seconds_ahead;
    char struck[PATH_MAX];
};

static struct tally private_tally, *tally = &private_tally;
static const char *folder, *kind;
static int wanted = -1;
static unsigned long at;
static atomic_int is_full;

__attribute__((constructor)) static void begin(void) {
    const char *call = getenv("FAULT_CALL"), *number = getenv("FAULT_AT"), *file = getenv("FAULT_TALLY");
    folder = getenv("FAULT_FOLDER");
    kind = getenv("FAULT_KIND");
    at = number ? strtoul(number, NULL, 10) : 0;
    wanted = CALLS;
    for (int index = 0; call && index < CALLS; index++) if (!strcmp(call, names[index])) wanted = index;
    /* What the process starts is spared. */
    unsetenv("LD_PRELOAD");
    int descriptor = file ? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (descriptor < 0) return;
    if (!ftruncate(descriptor, sizeof(struct tally))) {
        void *shared = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (shared != MAP_FAILED) tally = shared;
    }
    close(descriptor);
}

static enum verdict judge(enum call call, const char *place) {
    unsigned long number = ++tally->calls[call], every = ++tally->all;
    if (is_full && (call == CALL_WRITE || call == CALL_LINK)) return NO_SPACE;
    if (!at || !kind || (wanted == CALLS ? every : wanted == (int)call ? number : 0) != at) return PASS;
    snprintf(tally->struck, sizeof tally->struck, "%s %s", names[call], place);
    if (!strcmp(kind, "kill")) kill(getpid(), SIGKILL);
    if (!strcmp(kind, "after")) return END_AFTER;
    if (!strcmp(kind, "short")) return call == CALL_WRITE ? HALF : PASS;
    if (!strcmp(kind, "error")) return BROKEN;
    is_full = 1;
    return call == CALL_WRITE ? HALF_THEN_FULL : call == CALL_FSYNC ? BROKEN : NO_SPACE;
}

static int is_below(const char *path) { return folder && !strncmp(path, folder, strlen(folder)); }

static enum verdict judge_descriptor(enum call call, int descriptor) {
    int error = errno;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = error;
    if (!folder || length < 0) return PASS;
    path[length] = 0;
    if (!strncmp(path, "socket:", 7)) return call == CALL_WRITE ? judge(CALL_SEND, "socket") : call == CALL_RECEIVE ? judge(call, "socket") : PASS;
    return call != CALL_RECEIVE && is_below(path) ? judge(call, path) : PASS;
}

static enum verdict judge_path(enum call call, const char *path) {
    char whole[PATH_MAX];
    if (path[0] != '/' && getcwd(whole, sizeof whole / 2)) {
        strncat(whole, "/", 2);
        strncat(whole, path, sizeof whole / 2 - 2);
        path = whole;
    }
    return is_below(path) ? judge(call, path) : PASS;
}

static long fail(int error) {
    errno = error;
    return -1;
}

static void end(void) { kill(getpid(), SIGKILL); }

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CONCLUDE(verdict, result)                                                                                                          \
    switch (verdict) {                                                                                                                     \
    case NO_SPACE: return fail(ENOSPC);                                                                                                    \
    case BROKEN: return fail(EIO);                                                                                                         \
    case END_AFTER: { long done = (result); end(); return done; }                                                                          \
    default: return (result);                                                                                                              \
    }

static size_t some(enum verdict verdict, size_t count) {
    return (verdict == HALF || verdict == HALF_THEN_FULL) && count > 1 ? count / 2 : count;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    enum verdict verdict = judge_descriptor(CALL_WRITE, descriptor);
    CONCLUDE(verdict, NEXT(write)(descriptor, bytes, some(verdict, count)))
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    enum verdict verdict = judge_descriptor(CALL_WRITE, descriptor);
    CONCLUDE(verdict, NEXT(pwrite)(descriptor, bytes, some(verdict, count), offset))
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    enum verdict verdict = judge_descriptor(CALL_WRITE, descriptor);
    CONCLUDE(verdict, NEXT(pwrite64)(descriptor, bytes, some(verdict, count), offset))
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
    enum verdict verdict = judge_descriptor(CALL_WRITE, descriptor);
    struct iovec fewer[IOV_MAX];
    if (count > 0 && count <= IOV_MAX) {
        size_t all = 0;
        for (int index = 0; index < count; index++) all += pieces[index].iov_len;
        size_t left = some(verdict, all);
        for (int index = 0; index < count; left -= fewer[index++].iov_len) {
            fewer[index] = pieces[index];
            if (fewer[index].iov_len > left) fewer[index].iov_len = left;
        }
        pieces = fewer;
    }
    CONCLUDE(verdict, NEXT(writev)(descriptor, pieces, count))
}

ssize_t send(int socket, const void *bytes, size_t count, int flags) {
    enum verdict verdict = judge_descriptor(CALL_WRITE, socket);
    CONCLUDE(verdict, NEXT(send)(socket, bytes, count, flags))
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    enum verdict verdict = judge_descriptor(CALL_WRITE, socket);
    CONCLUDE(verdict, NEXT(sendmsg)(socket, message, flags))
}

/* An attempt to receive where nothing has come is none. */
static enum verdict judge_receiver(int descriptor) {
    int error = errno;
    char byte;
    ssize_t waiting = NEXT(recv)(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    errno = error;
    return waiting > 0 ? judge_descriptor(CALL_RECEIVE, descriptor) : PASS;
}

ssize_t read(int descriptor, void *bytes, size_t count) {
    enum verdict verdict = judge_receiver(descriptor);
    CONCLUDE(verdict, NEXT(read)(descriptor, bytes, count))
}

ssize_t readv(int descriptor, const struct iovec *pieces, int count) {
    enum verdict verdict = judge_receiver(descriptor);
    CONCLUDE(verdict, NEXT(readv)(descriptor, pieces, count))
}

ssize_t recv(int socket, void *bytes, size_t count, int flags) {
    enum verdict verdict = judge_receiver(socket);
    CONCLUDE(verdict, NEXT(recv)(socket, bytes, count, flags))
}

ssize_t recvmsg(int socket, struct msghdr *message, int flags) {
    enum verdict verdict = judge_receiver(socket);
    CONCLUDE(verdict, NEXT(recvmsg)(socket, message, flags))
}

int fsync(int descriptor) {
    enum verdict verdict = judge_descriptor(CALL_FSYNC, descriptor);
    CONCLUDE(verdict, NEXT(fsync)(descriptor))
}

int fdatasync(int descriptor) {
    enum verdict verdict = judge_descriptor(CALL_FSYNC, descriptor);
    CONCLUDE(verdict, NEXT(fdatasync)(descriptor))
}

int rename(const char *from, const char *to) {
    enum verdict verdict = judge_path(CALL_RENAME, to);
    CONCLUDE(verdict, NEXT(rename)(from, to))
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    enum verdict verdict = judge_path(CALL_RENAME, to);
    CONCLUDE(verdict, NEXT(renameat)(from_folder, from, to_folder, to))
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    enum verdict verdict = judge_path(CALL_RENAME, to);
    CONCLUDE(verdict, NEXT(renameat2)(from_folder, from, to_folder, to, flags))
}

int link(const char *from, const char *to) {
    enum verdict verdict = judge_path(CALL_LINK, to);
    CONCLUDE(verdict, NEXT(link)(from, to))
}

/* libdispatch's way to listen for a signal. */
int sigaction(int number, const struct sigaction *new, struct sigaction *old) {
    if (new && (number == SIGTERM || number == SIGINT) && kind && !strcmp(kind, "late")) {
        snprintf(tally->struck, sizeof tally->struck, "sigaction");
        sleep(1);
    }
    return NEXT(sigaction)(number, new, old);
}

/* The wall clock alone: deadlines go by others. */
int clock_gettime(clockid_t clock, struct timespec *now) {
    static __typeof__(&clock_gettime) next;
    if (!next) next = NEXT(clock_gettime);
    int result = next(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += tally->seconds_ahead;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
