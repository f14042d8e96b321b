//! A decoder process from this side: started, spoken to, and explained when it ends.

use std::fs::File;
use std::io::{ErrorKind, IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, Signal, kill_process_group};

use super::Isolation;
use super::registry::Registry;
use super::wire::{Answer, Inbox, Order};
use crate::core::CancelToken;
use crate::error::{Error, Result, WorkerCause};

/// Bytes kept of what a decoder process says on standard error.
const KEPT_STDERR: usize = 8 << 10;
/// How long a process whose socket closed may take to end, and one that is told to end to be gone.
const GRACE: Duration = Duration::from_secs(1);
/// How often cancellation is looked at while nothing comes.
const SLICE: Duration = Duration::from_millis(50);

/// Why nothing came.
#[derive(Debug)]
pub(super) enum Lost {
    /// It is over: cancelled, or no process could be had.
    Error(Error),
    /// The process ended, or had to be ended.
    Died(WorkerCause),
}

impl From<Error> for Lost {
    fn from(e: Error) -> Self {
        Self::Error(e)
    }
}

/// A running decoder process. Dropped, it is killed and waited for.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    socket: UnixStream,
    inbox: Inbox,
    stderr: Arc<Mutex<Vec<u8>>>,
    drained: Receiver<()>,
    oom_before: OomCounts,
    registry: Arc<Registry>,
    stream: u32,
    gone: bool,
}

impl Process {
    /// Starts a process that reads `input`.
    pub(super) fn start(isolation: &Isolation, input: &File, stream: u32) -> Result<Self, WorkerCause> {
        let failed = |what: &str, e: std::io::Error| WorkerCause::NotStarted(format!("{what}: {e}"));
        let (socket, theirs) = UnixStream::pair().map_err(|e| failed("no socket", e))?;
        socket.set_read_timeout(Some(SLICE)).map_err(|e| failed("no time limit for the socket", e))?;
        socket.set_write_timeout(Some(GRACE)).map_err(|e| failed("no time limit for the socket", e))?;
        let input = input.try_clone().map_err(|e| failed("no descriptor for the input", e))?;
        #[allow(clippy::disallowed_methods, reason = "decoder processes are started here and nowhere else")]
        let mut command = Command::new(&isolation.program);
        command
            .args(&isolation.arguments)
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::piped())
            // Heaps of other threads would count as used address space.
            .env("MALLOC_ARENA_MAX", "2")
            // Signals of the terminal are for this process: it decides when decoding ends.
            .process_group(0);
        super::sandbox::inherit_nothing(&mut command);
        let oom_before = OomCounts::now();
        let mut child = command.spawn().map_err(|e| failed(&format!("`{}`", isolation.program.display()), e))?;
        // The command holds the other end of the socket: while it lives, the process's death would not close it.
        drop(command);
        isolation.registry.started(child.id());
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let (done, drained) = sync_channel(1);
        if let Some(mut pipe) = child.stderr.take() {
            let kept = Arc::clone(&stderr);
            let reader = move || {
                let mut buffer = [0u8; 4096];
                while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.extend_from_slice(buffer.get(..n).unwrap_or_default());
                    let over = kept.len().saturating_sub(KEPT_STDERR);
                    kept.drain(..over);
                }
                let _ = done.try_send(()); // nobody waits for it unless the process died
            };
            // Without the thread the process would block once the pipe is full; it is ended below then.
            let spawned = std::thread::Builder::new().name("decoder stderr".into()).spawn(reader);
            if let Err(e) = spawned {
                let _ = child.kill();
                let _ = child.wait();
                isolation.registry.ended(child.id());
                return Err(failed("no thread for its standard error", e));
            }
        }
        Ok(Self {
            child,
            socket,
            inbox: Inbox::default(),
            stderr,
            drained,
            oom_before,
            registry: Arc::clone(&isolation.registry),
            stream,
            gone: false,
        })
    }

    /// Its process id; `None` once it was waited for.
    pub(super) fn id(&self) -> Option<u32> {
        (!self.gone).then(|| self.child.id())
    }

    /// Tells it something, with a descriptor where one goes along.
    pub(super) fn tell(&mut self, order: &Order, with: Option<BorrowedFd<'_>>) -> Result<(), Lost> {
        let bytes = order.encode().map_err(|what| Lost::Error(Error::Bug(what)))?;
        match send(&self.socket, &bytes, with) {
            Ok(()) => Ok(()),
            // Not taken within the time: it is not running.
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Lost::Died(self.kill(WorkerCause::Hung(GRACE))))
            }
            // It is gone. What it said before is still to be heard; `hear` finds out why it went.
            Err(_) => Ok(()),
        }
    }

    /// Its next message. It may stay silent for `patience`; it is killed after that, and when what it says makes no sense.
    pub(super) fn hear(&mut self, patience: Duration, cancel: &CancelToken) -> Result<Answer, Lost> {
        let since = Instant::now();
        let mut buffer = [0u8; 16 << 10];
        loop {
            let next = self.inbox.next();
            match next.and_then(|m| m.map(|(kind, body)| Answer::decode(kind, &body, self.stream)).transpose()) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(what) => return Err(Lost::Died(self.kill(WorkerCause::Protocol(what)))),
            }
            cancel.check()?;
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(Lost::Died(self.explain())),
                Ok(n) => self.inbox.push(buffer.get(..n).unwrap_or_default()),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                    if since.elapsed() >= patience {
                        return Err(Lost::Died(self.kill(WorkerCause::Hung(patience))));
                    }
                }
                Err(_) => return Err(Lost::Died(self.explain())),
            }
        }
    }

    /// What it said last on standard error.
    pub(super) fn last_words(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }

    /// Ends it, for the reason given.
    pub(super) fn kill(&mut self, cause: WorkerCause) -> WorkerCause {
        self.end();
        cause
    }

    /// Lets it end by itself after its work; it is killed if it does not.
    pub(super) fn finish(mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        self.wait_for(GRACE);
    }

    fn wait_for(&mut self, patience: Duration) -> Option<ExitStatus> {
        let since = Instant::now();
        while since.elapsed() < patience {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.gone();
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    fn gone(&mut self) {
        self.gone = true;
        self.registry.ended(self.child.id());
    }

    /// Kills it with all that it may have started, and waits: no orphan, no zombie.
    fn end(&mut self) -> Option<ExitStatus> {
        if self.gone {
            return None;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL); // gone already is as good
        }
        let _ = self.child.kill();
        let status = self.child.wait().ok();
        self.gone();
        status
    }

    /// Its socket closed although its work was not done: why?
    fn explain(&mut self) -> WorkerCause {
        let Some(status) = self.wait_for(GRACE) else {
            self.end();
            return WorkerCause::Protocol("it closed its socket and went on".into());
        };
        // What it said last may still be on its way; a process that it left behind could hold the pipe open for ever.
        if let Err(RecvTimeoutError::Timeout) = self.drained.recv_timeout(GRACE / 2) {
            self.end();
        }
        cause_of(status, &self.last_words(), || self.oom_before.moved())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why a process ended, from its status. `oom` looks whether the kernel killed for want of memory meanwhile.
fn cause_of(status: ExitStatus, stderr: &str, oom: impl Fn() -> Option<&'static str>) -> WorkerCause {
    let refused = stderr.lines().find(|l| l.starts_with("memory allocation of"));
    match (status.signal(), status.code()) {
        (Some(9), _) => match oom() {
            Some(which) => WorkerCause::OutOfMemory { how: format!("signal 9, and {which} moved") },
            None => WorkerCause::Killed,
        },
        (Some(11), _) => WorkerCause::SegmentationFault,
        // Rust ends a process with this signal when an allocation fails.
        (Some(6), _) => match refused {
            Some(line) => WorkerCause::OutOfMemory { how: format!("signal 6: {line}") },
            None => WorkerCause::Abort,
        },
        (Some(7), _) => WorkerCause::BusError,
        (Some(24), _) => WorkerCause::CpuLimit,
        (Some(31), _) => WorkerCause::Forbidden,
        (Some(n), _) => WorkerCause::Signal(n),
        (None, code) => WorkerCause::Exit(code.unwrap_or(-1)),
    }
}

/// Sends all bytes; the descriptor goes with the first.
pub(super) fn send(socket: &UnixStream, bytes: &[u8], with: Option<BorrowedFd<'_>>) -> std::io::Result<()> {
    let mut left = bytes;
    let mut with = with;
    while !left.is_empty() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors: Vec<BorrowedFd<'_>> = with.into_iter().collect();
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(std::io::Error::other("no room for a descriptor"));
        }
        match sendmsg(socket.as_fd(), &[IoSlice::new(left)], &mut control, SendFlags::NOSIGNAL) {
            Ok(n) => {
                left = left.get(n..).unwrap_or_default();
                with = None;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// How often the kernel has killed for want of memory: in our control group, and on the whole machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OomCounts {
    group: Option<u64>,
    machine: Option<u64>,
}

impl OomCounts {
    fn now() -> Self {
        Self { group: group_oom_kills(), machine: counter(Path::new("/proc/vmstat"), "oom_kill") }
    }

    /// Which counter has moved since. That of the control group decides where there is one.
    fn moved(self) -> Option<&'static str> {
        let now = Self::now();
        match (self.group, now.group) {
            (Some(before), Some(after)) => (after > before).then_some("the control group's OOM counter"),
            _ => (now.machine? > self.machine?).then_some("the machine's OOM counter"),
        }
    }
}

/// The number behind `name ` in a file of such lines.
fn counter(path: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

fn group_oom_kills() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (kind, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        match kind {
            // Version 2.
            "" => counter(&Path::new("/sys/fs/cgroup").join(path).join("memory.events"), "oom_kill"),
            k if k.split(',').any(|c| c == "memory") => {
                counter(&Path::new("/sys/fs/cgroup/memory").join(path).join("memory.oom_control"), "oom_kill")
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_end_has_its_cause() {
        let by_signal = |n: i32| cause_of(ExitStatus::from_raw(n), "", || None);
        assert_eq!(by_signal(9), WorkerCause::Killed);
        assert_eq!(by_signal(11), WorkerCause::SegmentationFault);
        assert_eq!(by_signal(6), WorkerCause::Abort);
        assert_eq!(by_signal(7), WorkerCause::BusError);
        assert_eq!(by_signal(24), WorkerCause::CpuLimit);
        assert_eq!(by_signal(31), WorkerCause::Forbidden);
        assert_eq!(by_signal(15), WorkerCause::Signal(15));
        assert_eq!(cause_of(ExitStatus::from_raw(3 << 8), "", || None), WorkerCause::Exit(3));
        let oom = cause_of(ExitStatus::from_raw(9), "", || Some("the counter"));
        assert!(matches!(oom, WorkerCause::OutOfMemory { how } if how.contains("the counter")));
        let refused = cause_of(ExitStatus::from_raw(6), "x\nmemory allocation of 99 bytes failed\n", || None);
        assert!(matches!(refused, WorkerCause::OutOfMemory { how } if how.contains("99")));
        let codes: std::collections::BTreeSet<_> =
            [9, 11, 6, 7, 24, 31, 15].into_iter().map(|n| by_signal(n).code()).collect();
        assert_eq!(codes.len(), 7);
    }

    #[test]
    fn counters_are_read_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.events");
        #[allow(clippy::disallowed_methods, reason = "a scratch file")]
        std::fs::write(&path, "low 0\noom 4\noom_kill 3\noom_group_kill 7\n").unwrap();
        assert_eq!((counter(&path, "oom_kill"), counter(&path, "nothing")), (Some(3), None));
    }
}
