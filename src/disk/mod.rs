//! Files and folders that are never half-written: atomic writes, publishing by rename, advisory
//! locks.
//!
//! | function | what it does |
//! |---|---|
//! | [`write_whole`], [`write_changed`], [`write_private`] | replaces a file atomically: temporary file, fsync, rename, fsync of the folder |
//! | [`finish_file`] | gives a file that was written in pieces its final name |
//! | [`publish`], [`publish_flushed`] | gives a finished folder its final name by one rename; the first process wins |
//! | [`set_aside`], [`remove_folder`] | takes a folder away by one rename before its files are deleted |
//! | [`lock()`], [`lock_file`], [`is_locked`] | an advisory lock, on file systems that have locks |
//! | [`unique_name`], [`Owner`] | names of temporary files and folders: host, process and a random part |
//! | [`entries`], [`size()`], [`copy_folder`] | what is in a folder, its bytes, a copy of it |
//! | [`remove_stale`] | removes temporary files of processes that have ended |
//!
//! A lock only avoids duplicate work. No result may depend on one: some file systems have no locks
//! (Lustre mounted with `noflock`, some NFS), and on others a lock is only visible on its own host.
//!
//! This room must never know the content of a file.

mod folder;
mod lock;
mod name;
mod whole;

pub use folder::{
    Published, copy_folder, entries, publish, publish_flushed, remove_folder, set_aside, size,
};
pub use lock::{Held, Lock, is_locked, is_new_note, lock, lock_file, notice};
pub use name::{Owner, unique_name};
pub use whole::{
    finish_file, remove_stale, sync_folder, write_changed, write_private, write_shared, write_whole,
};
