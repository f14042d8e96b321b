//! What this process, and the decoder processes that belong to it, really hold, as the kernel counts it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Resident memory of a process in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resident {
    /// Memory that the process allocated: frames, results, decoder, driver. This is what a memory limit is about.
    pub anonymous: u64,
    /// The part of it that it may share with processes it started.
    pub shared: u64,
    /// Pages of files: program code and shared libraries. The kernel can drop and reload them.
    pub file: u64,
}

/// Resident memory now; `None` where the system does not say (not Linux).
pub fn resident() -> Option<Resident> {
    resident_of("self")
}

fn resident_of(process: &str) -> Option<Resident> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let bytes = |name: &str| -> Option<u64> {
        let kib: u64 =
            status.lines().find_map(|l| l.strip_prefix(name))?.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib << 10)
    };
    // Shared memory belongs to us as well: nobody else frees it.
    let shared = bytes("RssShmem:").unwrap_or(0);
    Some(Resident { anonymous: bytes("RssAnon:")? + shared, shared, file: bytes("RssFile:")? })
}

/// What a process tree holds, without program code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TreeMemory {
    /// Bytes that this process allocated, memory shared with decoder processes included.
    pub own: u64,
    /// Bytes that decoder processes allocated beside that.
    pub workers: u64,
}

impl TreeMemory {
    /// What the tree holds now; `None` where the system does not say. Processes that have ended count nothing.
    pub fn now(workers: &[u32]) -> Option<Self> {
        let own = resident()?;
        let each: Vec<Resident> = workers.iter().filter_map(|pid| resident_of(&pid.to_string())).collect();
        let private: u64 = each.iter().map(|r| r.anonymous - r.shared).sum();
        // Shared pages are counted by each process that has touched them; what only the other side has touched so far counts there.
        let theirs: u64 = each.iter().map(|r| r.shared).sum();
        Some(Self { own: own.anonymous, workers: private + theirs.saturating_sub(own.shared) })
    }

    /// All of it.
    pub const fn total(self) -> u64 {
        self.own + self.workers
    }
}

#[derive(Debug, Default)]
struct Seen {
    now: Mutex<(TreeMemory, TreeMemory)>,
    samples: AtomicU64,
}

/// Looks at the memory of the process tree again and again, and remembers the most.
#[derive(Debug)]
pub struct MemoryWatch {
    seen: Arc<Seen>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MemoryWatch {
    /// Time between looks that costs little: 50 looks a second are about 0.2 % of a core.
    pub const EVERY: Duration = Duration::from_millis(20);

    /// Starts to look every `every`; `workers` names the decoder processes of the moment. Without a thread to be had, or on a system that
    /// does not say, it sees nothing.
    pub fn start(every: Duration, workers: impl Fn() -> Vec<u32> + Send + 'static) -> Self {
        let seen = Arc::<Seen>::default();
        let (stop, stopped) = channel();
        let shared = Arc::clone(&seen);
        let look = move || {
            loop {
                if let Some(now) = TreeMemory::now(&workers()) {
                    let mut kept = shared.now.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.0 = now;
                    if now.total() > kept.1.total() {
                        kept.1 = now;
                    }
                    shared.samples.fetch_add(1, Ordering::Relaxed);
                }
                if !matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("memory".into()).spawn(look).ok();
        Self { seen, stop: Some(stop), thread }
    }

    /// The newest look.
    pub fn now(&self) -> TreeMemory {
        self.seen.now.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The look with the largest total so far.
    pub fn peak(&self) -> TreeMemory {
        self.seen.now.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// How many looks there were; 0 where the system does not say.
    pub fn samples(&self) -> u64 {
        self.seen.samples.load(Ordering::Relaxed)
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it cannot panic, and there is nothing to report here
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn allocating_shows() {
        let before = resident().expect("linux").anonymous;
        let block = vec![1u8; 32 << 20];
        let after = resident().expect("linux").anonymous;
        assert!(after >= before + (24 << 20), "{before} {after} {}", block.len());
    }

    #[test]
    fn the_peak_outlives_what_made_it() {
        let watch = MemoryWatch::start(Duration::from_millis(1), Vec::new);
        let wait = |n: u64| {
            let from = watch.samples();
            while watch.samples() < from + n {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        wait(2);
        let before = watch.now().total();
        let block = vec![1u8; 64 << 20];
        wait(3);
        assert!(watch.now().total() >= before + (48 << 20), "{}", block.len());
        drop(block);
        wait(3);
        assert!(watch.peak().total() >= before + (48 << 20) && watch.peak().workers == 0);
        // A process that is not there counts nothing.
        assert_eq!(TreeMemory::now(&[u32::MAX]).expect("linux").workers, 0);
    }
}
