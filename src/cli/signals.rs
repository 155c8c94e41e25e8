//! Ctrl-C and its like: the first asks for a clean end, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down and raises it.
        let ends = flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop));
        let both = ends.and_then(|_| flag::register(signal, Arc::clone(&stop)));
        both.expect("both signals can be caught");
    }
    stop
});

/// Asks for a clean end, as the first signal does.
pub(super) fn stop() {
    STOP.store(true, Ordering::Relaxed);
}

/// Catches signals from now on; the flag goes up with the first.
pub(super) fn caught() -> &'static AtomicBool {
    &STOP
}
