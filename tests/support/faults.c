/*
 * Stands between a program and the C library, counts the calls that change files below one folder, and lets the n-th of them go wrong.
 *
 * Given by LD_PRELOAD; told by the environment:
 *
 *   FAULTS_BELOW  the folder, absolute and without links; calls elsewhere go through unseen
 *   FAULTS_TRACE  a file that gets one line for each call: what, and on which path below the folder
 *   FAULTS_SAVE   a folder on the same file system, for what a power loss may have to bring back
 *   FAULTS_AT     the number of the call, from 1; "end" for the end of the process; 0 or nothing for none
 *   FAULTS_DO     what happens there:
 *       kill   the process ends before the call
 *       torn   the process ends with half of a write done; before any other call
 *       power  the power fails before the call: nothing is left that was not made durable, as said below
 *       data   the same, but names are left: a file that was renamed without having been synced is there and empty
 *       full   this call and all later ones that need room fail with ENOSPC
 *       broken this call fails with EIO, the others do not
 *       interrupt, terminate   the thread gets SIGINT or SIGTERM before the call, which is done
 *   FAULTS_READS  if it is there, reading counts as a call too
 *
 * A process that ends here ends with exit code 86.
 *
 * Power loss. A file goes back to the size that it had when it was last synced (0 if never); creations, renames, links and removals
 * of names that no sync of their folder has followed are undone, the last one first. A rename counts as durable with its new name, as
 * on every file system that keeps a journal; an exchange with either. Not simulated: that of several unsynced changes a later one survives
 * and an earlier one does not; that unsynced bytes survive, or survive as others (but see torn); content that was overwritten in place or
 * cut off: where a program does that to synced bytes, the trace says UNSOUND.
 *
 * Log files of RocksDB (LOG, LOG.old...) hold nothing and come at any time: they are not counted, but find the disk full too. Calls that go
 * past the C library (rustix's own) are not seen, nor are those that the library makes itself (fwrite).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum fault { KILL, TORN, POWER, DATA, FULL, BROKEN, INTERRUPT, TERMINATE, NONE };
static const char *const FAULTS[] = {"kill", "torn", "power", "data", "full", "broken", "interrupt", "terminate"};

/* What `step` says instead of an error number: do half of this write, and end. */
#define HALF (-1)
#define EXIT_CODE 86

static long (*raw)(long number, ...);
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char below[PATH_MAX], save[PATH_MAX];
static int trace = -1, at_end, is_full, counts_reads;
static long at, count, saved;
static enum fault fault = NONE;

/* Folders and files are held by descriptors that say where they are (O_PATH), so that they are found whatever their names have become. */
static struct folder { dev_t dev; ino_t ino; int fd; } *folders;
static struct file { dev_t dev; ino_t ino; int fd; off_t durable; } *files;
/* A change of names in `folder`, for MOVE and SWAP from `from_name` in `from`. */
static struct change {
    enum { CREATE, MKDIR, LINK, UNLINK, RMDIR, MOVE, SWAP } kind;
    int folder, from, durable;
    char *name, *from_name;
    ino_t ino;  /* of what bears the name afterwards */
    long saved; /* number in the save folder of what bore it before; 0 for none */
    int removed; /* the folder that was removed */
} *changes;
static int folders_count, files_count, changes_count;

__attribute__((constructor)) static void begin(void) {
    if (raw) return;
    raw = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    const char *text;
    if ((text = getenv("FAULTS_BELOW"))) snprintf(below, sizeof below, "%s", text);
    if ((text = getenv("FAULTS_SAVE"))) snprintf(save, sizeof save, "%s", text);
    if ((text = getenv("FAULTS_TRACE")))
        trace = (int)raw(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if ((text = getenv("FAULTS_AT"))) {
        at_end = !strcmp(text, "end");
        at = atol(text);
    }
    counts_reads = getenv("FAULTS_READS") != NULL;
    if ((text = getenv("FAULTS_DO")))
        for (int index = KILL; index < NONE; index++)
            if (!strcmp(text, FAULTS[index])) fault = index;
}

static void *grown(void *list, int length, size_t size) {
    if (length & (length - 1)) return list; /* room is doubled at powers of two */
    list = realloc(list, (length ? 2 * (size_t)length : 1) * size);
    return list ? list : (abort(), NULL);
}

static void tell(const char *what, const char *path) {
    char line[PATH_MAX + 32];
    size_t skip = strlen(below);
    int length = snprintf(line, sizeof line, "%s %s\n", what, strlen(path) > skip ? path + skip + 1 : ".");
    if (trace >= 0) raw(SYS_write, trace, line, length);
}

/* The absolute path of a name, without looking at what it names. */
static void absolute(char *path, int folder, const char *name) {
    char base[PATH_MAX] = "", link[64];
    if (name[0] != '/') {
        if (folder == AT_FDCWD)
            snprintf(link, sizeof link, "/proc/self/cwd");
        else
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, base, sizeof base - 1);
        base[length > 0 ? length : 0] = 0;
    }
    if (snprintf(path, PATH_MAX, "%s%s%s", base, base[0] ? "/" : "", name) >= PATH_MAX) path[0] = 0;
    for (size_t length = strlen(path); length > 1 && path[length - 1] == '/';) path[--length] = 0;
}

static void path_of(char *path, int fd) {
    absolute(path, fd, "");
}

static int is_below(const char *path) {
    size_t length = strlen(below);
    return length && !strncmp(path, below, length) && path[length] == '/';
}

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int folder_at(int fd) {
    struct stat found;
    if (fd < 0 || fstat(fd, &found)) return -1;
    for (int index = 0; index < folders_count; index++)
        if (folders[index].dev == found.st_dev && folders[index].ino == found.st_ino) return index;
    folders = grown(folders, folders_count, sizeof *folders);
    folders[folders_count] = (struct folder){found.st_dev, found.st_ino, fcntl(fd, F_DUPFD_CLOEXEC, 100)};
    return folders_count++;
}

static int folder_named(const char *path) {
    int fd = (int)raw(SYS_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    int index = folder_at(fd);
    if (fd >= 0) close(fd);
    return index;
}

static int folder_above(const char *path) {
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%.*s", (int)(last_name(path) - path), path);
    return folder_named(above);
}

/* The file behind a descriptor; met for the first time, all of it counts as durable. */
static struct file *file_at(int fd) {
    struct stat found;
    char link[64];
    if (fstat(fd, &found) || !S_ISREG(found.st_mode)) return NULL;
    for (int index = 0; index < files_count; index++)
        if (files[index].dev == found.st_dev && files[index].ino == found.st_ino) return &files[index];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int held = (int)raw(SYS_openat, AT_FDCWD, link, O_PATH | O_CLOEXEC, 0);
    files = grown(files, files_count, sizeof *files);
    files[files_count] = (struct file){found.st_dev, found.st_ino, held, found.st_size};
    return &files[files_count++];
}

static int simulates_power_loss(void) {
    return fault == POWER || fault == DATA;
}

/* Gives a name in the save folder to what bears this one, so that it outlives the name. Gives its number, 0 if there is no file. */
static long saved_copy(const char *path) {
    char copy[PATH_MAX + 32];
    struct stat found;
    if (lstat(path, &found) || !S_ISREG(found.st_mode)) return 0;
    snprintf(copy, sizeof copy, "%s/%ld", save, ++saved);
    return raw(SYS_linkat, AT_FDCWD, path, AT_FDCWD, copy, 0) ? 0 : saved;
}

static void changed(int kind, const char *path, const char *from, long kept, int removed) {
    struct stat found = {0};
    struct change change = {.kind = kind, .folder = folder_above(path), .from = -1, .saved = kept, .removed = removed};
    change.name = strdup(last_name(path));
    if (from) {
        change.from = folder_above(from);
        change.from_name = strdup(last_name(from));
    }
    if (!lstat(path, &found)) change.ino = found.st_ino;
    changes = grown(changes, changes_count, sizeof *changes);
    changes[changes_count++] = change;
}

static int at_folder(int index) {
    return index < 0 ? -1 : folders[index].fd;
}

static void undo(struct change *change) {
    struct stat found;
    char copy[PATH_MAX + 32];
    int folder = at_folder(change->folder), from = at_folder(change->from);
    int is_there = !fstatat(folder, change->name, &found, AT_SYMLINK_NOFOLLOW);
    int is_it = is_there && found.st_ino == change->ino;
    if (change->kind == RMDIR && !is_there && !raw(SYS_mkdirat, folder, change->name, 0700) && change->removed >= 0) {
        /* What was in it comes back into the new one. */
        folders[change->removed].fd = (int)raw(SYS_openat, folder, change->name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    }
    if ((change->kind == CREATE || change->kind == LINK) && is_it) raw(SYS_unlinkat, folder, change->name, 0);
    if (change->kind == MKDIR && is_it) {
        snprintf(copy, sizeof copy, "%s/%ld", save, ++saved);
        raw(SYS_renameat2, folder, change->name, AT_FDCWD, copy, 0);
    }
    if (change->kind == MOVE && is_it) raw(SYS_renameat2, folder, change->name, from, change->from_name, 0);
    if (change->kind == SWAP && is_it)
        raw(SYS_renameat2, folder, change->name, from, change->from_name, RENAME_EXCHANGE);
    if (change->saved) {
        snprintf(copy, sizeof copy, "%s/%ld", save, change->saved);
        raw(SYS_linkat, AT_FDCWD, copy, folder, change->name, 0);
    }
}

static void lose_power(void) {
    for (int index = 0; index < files_count; index++) {
        struct stat found;
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", files[index].fd);
        if (!fstat(files[index].fd, &found) && found.st_size > files[index].durable)
            raw(SYS_truncate, link, files[index].durable);
    }
    for (int index = changes_count - 1; fault == POWER && index >= 0; index--)
        if (!changes[index].durable) undo(&changes[index]);
}

static void end(void) {
    if (simulates_power_loss()) lose_power();
    raw(SYS_exit_group, EXIT_CODE);
}

/* One call, before it is done. Gives 0 to do it, or the error that it fails with, or HALF. */
static int step(const char *what, const char *path, int needs_room) {
    if (!is_below(path)) return 0;
    if (strncmp(last_name(path), "LOG", 3)) {
        count++;
        tell(what, path);
        if (count == at) {
            if (fault == TORN && !strcmp(what, "write")) return HALF;
            if (fault < FULL) end();
            if (fault == FULL) is_full = 1;
            if (fault == BROKEN) return EIO;
            if (fault == INTERRUPT) raise(SIGINT);
            if (fault == TERMINATE) raise(SIGTERM);
        }
    }
    return is_full && needs_room ? ENOSPC : 0;
}

static long failed(int error) {
    errno = error;
    return -1;
}

#define TAKE_TURN() (begin(), pthread_mutex_lock(&turn))
static long leave_turn(long result, int error) {
    pthread_mutex_unlock(&turn);
    errno = error;
    return result;
}

static int open_at(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    struct stat found;
    TAKE_TURN();
    absolute(path, folder, name);
    int is_there = !stat(path, &found);
    int creates = (flags & O_CREAT) && !is_there;
    int cuts = (flags & O_TRUNC) && is_there && S_ISREG(found.st_mode) && found.st_size > 0;
    int error = creates ? step("create", path, 1) : cuts ? step("cut", path, 0) : 0;
    long result = error ? failed(error) : raw(SYS_openat, folder, name, flags, mode);
    error = errno;
    if (result >= 0 && simulates_power_loss() && is_below(path) && (creates || cuts)) {
        struct file *file = file_at((int)result);
        if (cuts) tell("UNSOUND", path);
        if (creates) changed(CREATE, path, NULL, 0, -1);
        if (file) file->durable = 0;
    }
    return (int)leave_turn(result, error);
}

#define MODE(flags) ({ va_list rest; va_start(rest, flags); mode_t mode = ((flags) & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; va_end(rest); mode; })

int open(const char *name, int flags, ...) { return open_at(AT_FDCWD, name, flags, MODE(flags)); }
int open64(const char *name, int flags, ...) { return open_at(AT_FDCWD, name, flags | O_LARGEFILE, MODE(flags)); }
int openat(int folder, const char *name, int flags, ...) { return open_at(folder, name, flags, MODE(flags)); }
int openat64(int folder, const char *name, int flags, ...) { return open_at(folder, name, flags | O_LARGEFILE, MODE(flags)); }
int creat(const char *name, mode_t mode) { return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *name, mode_t mode) { return creat(name, mode); }

/* Before bytes are written at `place` (-1: where the descriptor stands) or the file is cut to it. */
static void about_to_write(int fd, const char *path, off_t place, int cuts) {
    if (!simulates_power_loss() || !is_below(path)) return;
    struct file *file = file_at(fd);
    struct stat found;
    if (!file || fstat(fd, &found)) return;
    if (place < 0) place = (fcntl(fd, F_GETFL) & O_APPEND) ? found.st_size : lseek(fd, 0, SEEK_CUR);
    if (place < file->durable) tell("UNSOUND", path);
    if (cuts && place < file->durable) file->durable = place;
}

static ssize_t write_at(int fd, const struct iovec *parts, int parts_count, off_t place) {
    char path[PATH_MAX];
    TAKE_TURN();
    path_of(path, fd);
    int error = step("write", path, 1);
    about_to_write(fd, path, place, 0);
    if (error == HALF) {
        size_t half = parts[0].iov_len / 2;
        place < 0 ? raw(SYS_write, fd, parts[0].iov_base, half) : raw(SYS_pwrite64, fd, parts[0].iov_base, half, place);
        end();
    }
    long result = error       ? failed(error)
                  : place < 0 ? raw(SYS_writev, fd, parts, parts_count)
                              : raw(SYS_pwritev, fd, parts, parts_count, place, 0);
    return leave_turn(result, errno);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    return write_at(fd, &(struct iovec){(void *)bytes, length}, 1, -1);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t place) {
    return write_at(fd, &(struct iovec){(void *)bytes, length}, 1, place);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t place) { return pwrite(fd, bytes, length, place); }
ssize_t writev(int fd, const struct iovec *parts, int parts_count) { return write_at(fd, parts, parts_count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int parts_count, off_t place) {
    return write_at(fd, parts, parts_count, place);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int parts_count, off_t place) {
    return write_at(fd, parts, parts_count, place);
}

static void about_to_read(int fd) {
    char path[PATH_MAX];
    begin();
    if (!counts_reads) return;
    pthread_mutex_lock(&turn);
    path_of(path, fd);
    step("read", path, 0);
    pthread_mutex_unlock(&turn);
}

ssize_t read(int fd, void *bytes, size_t length) { return about_to_read(fd), raw(SYS_read, fd, bytes, length); }
ssize_t pread(int fd, void *bytes, size_t length, off_t place) {
    return about_to_read(fd), raw(SYS_pread64, fd, bytes, length, place);
}
ssize_t pread64(int fd, void *bytes, size_t length, off_t place) { return pread(fd, bytes, length, place); }

/* A call on a descriptor that changes a file without bytes from memory. `cut` is its new size, or -1. */
#define ON_FILE(what, fd, needs_room, cut, call) ({         \
    char path[PATH_MAX];                                    \
    TAKE_TURN();                                            \
    path_of(path, fd);                                      \
    int error = step(what, path, needs_room);               \
    about_to_write(fd, path, (cut), (cut) >= 0);            \
    long result = error ? failed(error) : (call);           \
    leave_turn(result, errno);                              \
})

ssize_t copy_file_range(int in, off_t *in_place, int out, off_t *out_place, size_t length, unsigned flags) {
    return ON_FILE("copy", out, 1, -1, raw(SYS_copy_file_range, in, in_place, out, out_place, length, flags));
}
ssize_t sendfile(int out, int in, off_t *place, size_t length) {
    return ON_FILE("copy", out, 1, -1, raw(SYS_sendfile, out, in, place, length));
}
ssize_t sendfile64(int out, int in, off_t *place, size_t length) { return sendfile(out, in, place, length); }
int ftruncate(int fd, off_t size) { return (int)ON_FILE("cut", fd, 0, size, raw(SYS_ftruncate, fd, size)); }
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }
/* Room alone is promised but not taken: in memory it would be filled with zeros, which takes longer than all else. */
int fallocate(int fd, int mode, off_t place, off_t length) {
    int is_room = mode == FALLOC_FL_KEEP_SIZE;
    return (int)ON_FILE("reserve", fd, 1, -1, is_room ? 0 : raw(SYS_fallocate, fd, mode, place, length));
}
int fallocate64(int fd, int mode, off_t place, off_t length) { return fallocate(fd, mode, place, length); }
int posix_fallocate(int fd, off_t place, off_t length) { return fallocate(fd, 0, place, length) ? errno : 0; }
int posix_fallocate64(int fd, off_t place, off_t length) { return posix_fallocate(fd, place, length); }

int truncate(const char *name, off_t size) {
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = ftruncate(fd, size), error = errno;
    close(fd);
    errno = error;
    return result;
}
int truncate64(const char *name, off_t size) { return truncate(name, size); }

static int sync_at(int fd, long number) {
    char path[PATH_MAX];
    struct stat found;
    TAKE_TURN();
    path_of(path, fd);
    int error = step("sync", path, 0);
    long result = error ? failed(error) : raw(number, fd);
    error = errno;
    if (!result && simulates_power_loss() && !fstat(fd, &found)) {
        struct file *file = file_at(fd);
        if (file) file->durable = found.st_size;
        int folder = S_ISDIR(found.st_mode) ? folder_at(fd) : -1;
        for (int index = 0; folder >= 0 && index < changes_count; index++) {
            struct change *change = &changes[index];
            if (change->folder == folder || (change->kind == SWAP && change->from == folder)) change->durable = 1;
        }
    }
    return (int)leave_turn(result, error);
}

int fsync(int fd) { return sync_at(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_at(fd, SYS_fdatasync); }
/* Begins to write back, but promises nothing. */
int sync_file_range(int fd, off_t place, off_t length, unsigned flags) {
    return (int)ON_FILE("write-back", fd, 0, -1, raw(SYS_sync_file_range, fd, place, length, flags));
}

int renameat2(int from_folder, const char *from_name, int folder, const char *name, unsigned flags) {
    char from[PATH_MAX], to[PATH_MAX];
    TAKE_TURN();
    absolute(from, from_folder, from_name);
    absolute(to, folder, name);
    int is_swap = (flags & RENAME_EXCHANGE) != 0, is_seen = is_below(to) && simulates_power_loss();
    int error = step(is_swap ? "exchange" : "rename", to, 0);
    long kept = is_seen && !is_swap && !error ? saved_copy(to) : 0;
    long result = error ? failed(error) : raw(SYS_renameat2, from_folder, from_name, folder, name, flags);
    error = errno;
    if (!result && is_seen) changed(is_swap ? SWAP : MOVE, to, from, kept, -1);
    return (int)leave_turn(result, error);
}
int renameat(int from_folder, const char *from, int folder, const char *to) {
    return renameat2(from_folder, from, folder, to, 0);
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char *from, int folder, const char *name, int flags) {
    char path[PATH_MAX];
    TAKE_TURN();
    absolute(path, folder, name);
    int error = step("link", path, 1);
    long result = error ? failed(error) : raw(SYS_linkat, from_folder, from, folder, name, flags);
    error = errno;
    if (!result && is_below(path) && simulates_power_loss()) changed(LINK, path, NULL, 0, -1);
    return (int)leave_turn(result, error);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    TAKE_TURN();
    absolute(path, folder, name);
    int is_folder = (flags & AT_REMOVEDIR) != 0, is_seen = is_below(path) && simulates_power_loss();
    int error = step(is_folder ? "rmdir" : "unlink", path, 0);
    long kept = is_seen && !is_folder && !error ? saved_copy(path) : 0;
    int removed = is_seen && is_folder ? folder_named(path) : -1;
    long result = error ? failed(error) : raw(SYS_unlinkat, folder, name, flags);
    error = errno;
    if (!result && is_seen) changed(is_folder ? RMDIR : UNLINK, path, NULL, kept, removed);
    return (int)leave_turn(result, error);
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    struct stat found;
    TAKE_TURN();
    absolute(path, folder, name);
    int error = lstat(path, &found) ? step("mkdir", path, 1) : 0;
    long result = error ? failed(error) : raw(SYS_mkdirat, folder, name, mode);
    error = errno;
    if (!result && is_below(path) && simulates_power_loss()) changed(MKDIR, path, NULL, 0, -1);
    return (int)leave_turn(result, error);
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

long syscall(long number, ...) {
    va_list rest;
    long a, b, c, d, e, f;
    va_start(rest, number);
    a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
    d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
    va_end(rest);
    begin();
    if (number == SYS_renameat2) return renameat2((int)a, (const char *)b, (int)c, (const char *)d, (unsigned)e);
    if (number == SYS_copy_file_range)
        return copy_file_range((int)a, (off_t *)b, (int)c, (off_t *)d, (size_t)e, (unsigned)f);
    return raw(number, a, b, c, d, e, f);
}

/* Runs behind everything that the program does at its end; its exit code stays. */
__attribute__((destructor)) static void at_the_end(void) {
    TAKE_TURN();
    if (at_end && simulates_power_loss()) lose_power();
    pthread_mutex_unlock(&turn);
}
