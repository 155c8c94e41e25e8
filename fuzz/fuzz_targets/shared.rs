//! What the targets share.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A folder of this process, in memory where the machine has such a disk.
pub(crate) fn folder() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let shared = PathBuf::from("/dev/shm");
        let base = if shared.is_dir() { shared } else { std::env::temp_dir() };
        let folder = base.join(format!("encore-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder can be created");
        folder
    });
    folder.clone()
}

/// Silences panics that encore catches itself: libFuzzer would abort in the panic hook.
/// A panic that nothing catches still ends the target.
pub(crate) fn quiet() {
    std::panic::set_hook(Box::new(|panic| {
        if std::env::var_os("ENCORE_FUZZ_SHOW").is_some() {
            eprintln!("{panic}");
        }
    }));
}
