//! A small C library that replaces the system's lock calls. Only Linux can preload it; building
//! encore needs a C compiler anyway.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LIBRARY: &str = r"
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

/// Builds the library in a folder.
pub fn library(folder: &Path, locks: Locks) -> PathBuf {
    let (source, library) = (folder.join("locks.c"), folder.join("locks.so"));
    fs::write(&source, LIBRARY).unwrap();
    let mut command = Command::new("cc");
    if locks == Locks::Fail {
        command.arg("-DFAILS");
    }
    command.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}
