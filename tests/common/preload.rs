//! Small C libraries that replace calls of the system: its locks, or what changes files. Only Linux can
//! preload them; building encore needs a C compiler anyway.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LOCKS: &str = r"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

static int answer(void) {
#ifdef FAILS
    errno = ENOSYS;
    return -1;
#else
    return 0;
#endif
}

static int is_lock(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK
        || command == F_OFD_SETLKW;
}

int flock(int file, int operation) {
    (void)file;
    (void)operation;
    return answer();
}

int fcntl(int file, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (is_lock(command)) return answer();
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, __func__);
    return real(file, command, argument);
}

int fcntl64(int file, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (is_lock(command)) return answer();
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, __func__);
    return real(file, command, argument);
}
";

/// The result of every lock call.
#[derive(Clone, Copy, PartialEq)]
pub enum Locks {
    /// Every lock fails, as on a file system without locks.
    Fail,
    /// Every lock succeeds, as if the other process were on a different host.
    Succeed,
}

/// Kills the whole process group before its n-th change of a file or folder. Of a write, half is done.
const OPERATIONS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* How many changes are left, shared by all processes of a command. */
static long *left;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CHANGES_LEFT");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0) return;
    void *shared = mmap(0, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED) left = shared;
}

static int is_last(void) {
    return left && __atomic_sub_fetch(left, 1, __ATOMIC_SEQ_CST) == 0;
}

static void change(void) {
    if (is_last()) kill(0, SIGKILL);
}

static int is_file(int file) {
    struct stat about;
    return fstat(file, &about) == 0 && S_ISREG(about.st_mode);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define CHANGE(name, parameters, arguments) \
    int name parameters { \
        REAL(name); \
        change(); \
        return real arguments; \
    }

CHANGE(rename, (const char *from, const char *to), (from, to))
CHANGE(unlink, (const char *path), (path))
CHANGE(unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
CHANGE(mkdir, (const char *path, mode_t mode), (path, mode))
CHANGE(rmdir, (const char *path), (path))
CHANGE(link, (const char *from, const char *to), (from, to))
CHANGE(linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
CHANGE(ftruncate64, (int file, off64_t length), (file, length))
CHANGE(fsync, (int file), (file))
CHANGE(fdatasync, (int file), (file))

ssize_t write(int file, const void *bytes, size_t n) {
    REAL(write);
    if (left && is_file(file) && is_last()) {
        real(file, bytes, n / 2);
        kill(0, SIGKILL);
    }
    return real(file, bytes, n);
}

int open64(const char *path, int flags, ...) {
    REAL(open64);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (flags & (O_CREAT | O_TRUNC)) change();
    return real(path, flags, mode);
}
"#;

/// Builds the library that replaces locks in a folder.
pub fn library(folder: &Path, locks: Locks) -> PathBuf {
    let define: &[&str] = if locks == Locks::Fail { &["-DFAILS"] } else { &[] };
    build(folder, "locks", LOCKS, define)
}

/// Builds the library that counts changes of files in a folder. The file that `CHANGES_LEFT` names holds
/// the count, a `long`.
pub fn operations(folder: &Path) -> PathBuf {
    build(folder, "operations", OPERATIONS, &[])
}

fn build(folder: &Path, name: &str, source: &str, more: &[&str]) -> PathBuf {
    let file = |extension: &str| folder.join(name).with_extension(extension);
    fs::write(file("c"), source).unwrap();
    let mut command = Command::new("cc");
    command.args(more).args(["-shared", "-fPIC", "-O1", "-o"]);
    let output = command.args([file("so"), file("c")]).arg("-ldl").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file("so")
}
