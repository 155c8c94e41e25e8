//! Names of temporary files and folders, and whether the process that created one still runs.

use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The process that created a temporary file or folder, according to its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    host: String,
    process: u32,
    /// A random part that distinguishes processes with the same number.
    token: String,
}

/// Number of hexadecimal digits of a process's token; a counter follows.
const TOKEN_LEN: usize = 8;

/// Returns a name that no other process and no earlier call has used: `HOST-PID-RANDOM`. It
/// contains no dot, so that it can follow a dot.
#[must_use]
pub fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{}{count:x}", host(), std::process::id(), token())
}

impl Owner {
    /// Reads the owner from a [`unique_name`]; nothing if the text is something else.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let (host, process, random) = (parts.next()?, parts.next()?, parts.next()?);
        let is_hex = random.len() > TOKEN_LEN && random.chars().all(|c| c.is_ascii_hexdigit());
        let is_host = !host.is_empty() && host.chars().all(is_plain);
        if !is_hex || !is_host || parts.next().is_some() {
            return None;
        }
        let (host, token) = (host.to_owned(), random[..TOKEN_LEN].to_owned());
        Some(Self { host, process: process.parse().ok()?, token })
    }

    /// Returns the process number.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process
    }

    /// The name of its host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the process certainly has ended. A process of another host can't be asked.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        if self.host != host() {
            return false;
        }
        if self.process == std::process::id() {
            // Processes in containers often have the same low numbers.
            return self.token != token();
        }
        !is_running(self.process)
    }

    /// Returns whether the process certainly runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.host == host() && !self.is_dead()
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Returns the host's name, in letters, digits and underscores.
fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        #[cfg(unix)]
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        let name = std::env::var("COMPUTERNAME").unwrap_or_default();
        let plain = name.chars().map(|c| if is_plain(c) { c } else { '_' }).take(40);
        let plain: String = plain.collect();
        if plain.is_empty() { "host".to_owned() } else { plain }
    })
}

/// Returns this process's random part. Names do not affect results, so it need not come from a
/// seed.
fn token() -> &'static str {
    static TOKEN: OnceLock<String> = OnceLock::new();
    TOKEN.get_or_init(|| {
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        format!("{:08x}", hasher.finish() as u32)
    })
}

/// Returns whether a process of this host runs. A zombie, which has ended but whose parent has not
/// yet waited for it, does not count.
#[cfg(unix)]
fn is_running(process: u32) -> bool {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) {
        // The state follows the program's name, which is in brackets and may contain anything.
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        return !matches!(state, Some('Z' | 'X'));
    }
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Returns true: without a way to find out, every process may be running, and its files are kept.
#[cfg(not(unix))]
fn is_running(_process: u32) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_who_made_them() {
        let (one, two) = (unique_name(), unique_name());
        assert_ne!(one, two);
        assert!(!one.contains('.'), "{one}");
        let owner = Owner::of(&one).unwrap();
        assert_eq!(owner.process(), std::process::id());
        assert!(owner.is_alive() && !owner.is_dead());
        for other in ["", "a-1", "imported-12345678", "a-b-123456789", "a-1-xyz", "a.b-1-123456789"]
        {
            assert_eq!(Owner::of(other), None, "{other}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_process_is_dead_only_where_that_is_certain() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = child.id();
        child.wait().unwrap();
        let of = |host: &str, id: u32| Owner::of(&format!("{host}-{id}-{}0", token())).unwrap();
        assert!(of(host(), id).is_dead() && !of(host(), id).is_alive());
        let elsewhere = of("elsewhere", id);
        assert!(!elsewhere.is_dead() && !elsewhere.is_alive());
        // Our process number with a different token: an earlier process with the same number.
        let earlier = Owner::of(&format!("{}-{}-000000000", host(), std::process::id())).unwrap();
        assert!(earlier.is_dead());
    }

    #[test]
    #[cfg(unix)]
    fn a_process_that_nobody_has_waited_for_is_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let name = format!("{}-{}-123456789", host(), child.id());
        let begin = std::time::Instant::now();
        // Only Linux can tell the difference.
        while cfg!(target_os = "linux") && !Owner::of(&name).unwrap().is_dead() {
            assert!(begin.elapsed().as_secs() < 20, "it never ended");
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
