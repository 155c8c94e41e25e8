//! Programs that others wrote: started without access to what is hidden from them, and ended with all
//! of their processes.
//!
//! A program is not started by the process that needs it, but by a supervisor, `encore do-command`, in a
//! process of its own. The supervisor restricts itself by Landlock, which everything that it starts
//! inherits. It adopts whatever the program leaves behind, even in another session, and ends all of it
//! when the program ends, when it is told to, or when its input closes because the process that needs the
//! program was killed. If the supervisor itself is killed, the kernel ends the program, and the process
//! that needs it adopts and ends the rest.
//!
//! Nothing is started before [`permit`]: a library or a command that never asked for trust can't start
//! the program of a spec.

mod access;
#[cfg(target_os = "linux")]
mod descendants;
mod message;
mod needs;
#[cfg(target_os = "linux")]
mod sandbox;
mod supervised;
mod supervisor;

pub use access::Access;
pub use message::{End, Order, Status};
pub use needs::{home, secret_variables};
pub use supervised::{Supervised, is_permitted, permit};
pub use supervisor::{replace_by, supervise};

/// Sends a signal to the group that a program leads. It may have ended by itself.
#[cfg(unix)]
fn signal_group(process: u32, signal: rustix::process::Signal) {
    let group = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    let _ = group.map(|group| rustix::process::kill_process_group(group, signal));
}
