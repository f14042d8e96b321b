//! The decoder process: takes a job, decodes into shared slots, says what it sees.

use std::fs::File;
use std::io::{IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FileType, fstat};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::fault::Fault;
use super::process::send;
use super::ring::{SharedRing, SlotWriter};
use super::sandbox;
use super::wire::{Answer, Ended, Filled, Inbox, Job, Opened, Order};
use crate::core::{FrameDesc, FrameLayout, Limits};
use crate::error::Error;
use crate::media::avio::InputFile;
use crate::media::decode::DecodeOptions;
use crate::media::hardware::HardwareDecode;
use crate::media::local::{LocalDecoder, Pulse};

/// How often the parent hears that there is progress while no frame comes out.
const PULSE: Duration = Duration::from_millis(200);

/// `main` of a decoder process: decodes what its parent, a [`super::Isolation`], asks for, and ends with it. To be called before anything
/// else, when the program was started with [`super::WORKER_COMMAND`]. Reads standard input (the video) and speaks over standard output.
pub fn decode_worker() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("decoder process: {text}");
            ExitCode::from(70) // EX_SOFTWARE
        }
    }
}

/// Answers, from any thread.
#[derive(Clone)]
struct Mouth(Arc<Mutex<UnixStream>>);

impl Mouth {
    fn say(&self, answer: &Answer) -> Result<(), String> {
        let bytes = answer.encode()?;
        let socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        send(&socket, &bytes, None).map_err(|e| format!("the parent does not listen: {e}"))
    }
}

fn work() -> Result<(), String> {
    let of_io = |e: std::io::Error| e.to_string();
    let input: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned().map_err(of_io)?;
    let socket: OwnedFd = std::io::stdout().as_fd().try_clone_to_owned().map_err(of_io)?;
    let kind = |fd: &OwnedFd| fstat(fd).map(|s| FileType::from_raw_mode(s.st_mode)).ok();
    if kind(&input) != Some(FileType::RegularFile) || kind(&socket) != Some(FileType::Socket) {
        return Err(
            "is started by frameloom itself, with a video on standard input and a socket on standard output".into()
        );
    }
    let mut socket = UnixStream::from(socket);
    let job = first_order(&mut socket)?;
    sandbox::default_faults();
    sandbox::limit(&job)?;
    let mouth = Mouth(Arc::new(Mutex::new(socket.try_clone().map_err(of_io)?)));
    let (orders, heard) = channel();
    std::thread::Builder::new().name("orders".into()).spawn(move || listen(&socket, &orders)).map_err(of_io)?;
    let pulse = Pulse::default();
    let (watched, voice) = (Arc::clone(&pulse), mouth.clone());
    std::thread::Builder::new().name("pulse".into()).spawn(move || tell_progress(&watched, &voice)).map_err(of_io)?;
    // Devices are files that their drivers open when they like.
    if job.hardware == "off" {
        sandbox::close_doors();
    }
    let ended = decode(&job, File::from(input), pulse, &mouth, &heard)?;
    mouth.say(&Answer::Ended(Box::new(ended)))?;
    // The parent closes the socket when it has read that; `listen` ends the process then.
    loop {
        std::thread::park();
    }
}

/// The job is the first message and fills everything that is there.
fn first_order(socket: &mut UnixStream) -> Result<Job, String> {
    let (mut inbox, mut byte) = (Inbox::default(), [0u8; 1]);
    loop {
        // Byte by byte, so that nothing of the next message is taken: descriptors come with those.
        socket.read_exact(&mut byte).map_err(|e| format!("no job: {e}"))?;
        inbox.push(&byte);
        if let Some((kind, body)) = inbox.next()? {
            return match Order::decode(kind, &body)? {
                Order::Job(job) => Ok(*job),
                other => Err(format!("no job but {other:?}")),
            };
        }
    }
}

/// Takes orders until the parent is gone, and ends the process then, whatever it is doing.
fn listen(socket: &UnixStream, orders: &Sender<(Order, Option<OwnedFd>)>) {
    let mut inbox = Inbox::default();
    let mut buffer = [0u8; 4096];
    let mut memory = None;
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received =
            recvmsg(socket.as_fd(), &mut [IoSliceMut::new(&mut buffer)], &mut control, RecvFlags::CMSG_CLOEXEC);
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
                memory = descriptors.next().or(memory);
            }
        }
        match received {
            Ok(r) if r.bytes > 0 => inbox.push(buffer.get(..r.bytes).unwrap_or_default()),
            Err(rustix::io::Errno::INTR) => continue,
            _ => std::process::exit(0),
        }
        loop {
            let order = match inbox.next().and_then(|m| m.map(|(k, b)| Order::decode(k, &b)).transpose()) {
                Ok(None) => break,
                Ok(Some(order)) => order,
                Err(what) => {
                    eprintln!("decoder process: {what}");
                    std::process::exit(70);
                }
            };
            let with = if matches!(order, Order::Slots { .. }) { memory.take() } else { None };
            if orders.send((order, with)).is_err() {
                return; // the work is done
            }
        }
    }
}

/// Says so when something was read or decoded; a process that hangs or loops is silent.
fn tell_progress(pulse: &AtomicU64, mouth: &Mouth) {
    let mut before = 0;
    loop {
        std::thread::sleep(PULSE);
        let now = pulse.load(Ordering::Relaxed);
        if now != before && mouth.say(&Answer::Progress).is_err() {
            return;
        }
        before = now;
    }
}

fn options(job: &Job) -> Result<DecodeOptions, String> {
    let mut limits = Limits::default();
    for (name, value) in Limits::NAMES.into_iter().zip(job.limits) {
        limits.set(name, value).map_err(|e| e.to_string())?;
    }
    let (track, threads, hardware) = (job.track, job.threads, HardwareDecode::from(job.hardware.as_str()));
    Ok(DecodeOptions { track, threads, limits, hardware, ..DecodeOptions::default() })
}

type Orders = Receiver<(Order, Option<OwnedFd>)>;

/// Decodes to the end. `Err` only when the parent cannot be spoken to.
fn decode(job: &Job, input: File, pulse: Pulse, mouth: &Mouth, orders: &Orders) -> Result<Ended, String> {
    let size = input.metadata().map_err(|e| e.to_string())?.len();
    let input = InputFile { path: PathBuf::from(&job.name), file: Arc::new(input), size };
    let refused = |e: &Error, bytes_read| Ended { verdict: None, fault: Some(Fault::from(e)), bytes_read };
    let mut decoder = match LocalDecoder::start(input, options(job)?, Some(pulse)) {
        Ok(decoder) => decoder,
        Err(e) => return Ok(refused(&e, 0)),
    };
    let opened = Opened { info: decoder.media_info(), rotation: decoder.rotation() };
    mouth.say(&Answer::Opened(Box::new(opened)))?;
    let mut slots = Slots { ring: None, free: Vec::new() };
    let mut told = 0;
    loop {
        let filled = match decoder.next_frame() {
            Ok(Some(frame)) if frame.info().index < job.skip => None,
            Ok(Some(frame)) => {
                let (desc, info) = (frame.desc(), frame.info());
                let Some(layout) = FrameLayout::new(&desc) else {
                    let e = Error::Bug(format!("no layout for a {} frame in {}", desc.size, desc.format));
                    return Ok(refused(&e, 0));
                };
                let slot = slots.free_slot(desc, mouth, orders)?;
                let ring = slots.ring.as_ref().map(|(_, ring)| ring).ok_or("a slot without memory")?;
                if let Err(e) = frame.copy_into(&layout, &mut SlotWriter { ring, slot }) {
                    return Ok(refused(&e, decoder.bytes_read()));
                }
                Some((slot, info))
            }
            Ok(None) => return end(job, &decoder, &mut told, None, mouth),
            Err(e) => return end(job, &decoder, &mut told, Some(&e), mouth),
        };
        if decoder.ran_out_of_memory() {
            // What comes out from here on is not what is in the file.
            return Ok(refused(&no_memory(job), decoder.bytes_read()));
        }
        let Some((slot, info)) = filled else { continue };
        tell_notes(decoder.notes(), &mut told, mouth)?;
        mouth.say(&Answer::Frame(Filled { slot, info, bytes_read: decoder.bytes_read() }))?;
    }
}

fn no_memory(job: &Job) -> Error {
    Error::Memory { kind: "host", needed_bytes: job.memory_bytes.saturating_add(1), limit_bytes: job.memory_bytes }
}

fn end(
    job: &Job,
    decoder: &LocalDecoder,
    told: &mut usize,
    error: Option<&Error>,
    mouth: &Mouth,
) -> Result<Ended, String> {
    if decoder.ran_out_of_memory() {
        let fault = Some(Fault::from(&no_memory(job)));
        return Ok(Ended { verdict: None, fault, bytes_read: decoder.bytes_read() });
    }
    tell_notes(decoder.notes(), told, mouth)?;
    Ok(Ended { verdict: decoder.verdict().cloned(), fault: error.map(Fault::from), bytes_read: decoder.bytes_read() })
}

/// Sends the notes that were not sent yet.
fn tell_notes(notes: &[String], told: &mut usize, mouth: &Mouth) -> Result<(), String> {
    if let Some(more) = notes.get(*told..).filter(|more| !more.is_empty()) {
        mouth.say(&Answer::Notes(more.to_vec()))?;
        *told = notes.len();
    }
    Ok(())
}

/// Memory for frames of one shape, and which of it is free.
struct Slots {
    ring: Option<(FrameDesc, SharedRing)>,
    free: Vec<u32>,
}

impl Slots {
    /// A free slot for a frame like `desc`; waits until there is one.
    fn free_slot(&mut self, desc: FrameDesc, mouth: &Mouth, orders: &Orders) -> Result<u32, String> {
        if self.ring.as_ref().is_none_or(|(d, _)| *d != desc) {
            self.ring = None;
            mouth.say(&Answer::Shape(desc))?;
        }
        loop {
            if self.ring.is_some()
                && let Some(slot) = self.free.pop()
            {
                return Ok(slot);
            }
            match orders.recv().map_err(|e| e.to_string())? {
                (Order::Free(slot), _) => self.free.push(slot),
                (Order::Slots { slots, slot_bytes }, Some(memory)) => {
                    let ring = SharedRing::open(&memory, slots, slot_bytes).map_err(|e| format!("no slots: {e}"))?;
                    // What was freed before belonged to the old memory.
                    self.free = (0..slots).rev().collect();
                    self.ring = Some((desc, ring));
                }
                (other, _) => return Err(format!("out of place: {other:?}")),
            }
        }
    }
}
