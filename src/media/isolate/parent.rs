//! The decoder as its user sees it, with its work done by another process.

use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::Isolation;
use super::fault::Fault;
use super::process::{Lost, Process};
use super::registry::InputKey;
use super::ring::{SharedRing, SharedSlot};
use super::wire::{Answer, Ended, Filled, Job, Opened, Order, limit_values};
use crate::core::{FrameDesc, FrameLayout, Limits};
use crate::error::{Error, Result, WorkerCause};
use crate::media::avio::InputFile;
use crate::media::decode::DecodeOptions;
use crate::media::hardware::HardwareDecode;
use crate::media::picture::{DecodedFrame, Samples};
use crate::media::turn::Turn;
use crate::media::{MediaInfo, Verdict, VideoStream};

/// Longest wait for a frame from a process that keeps saying that it makes progress.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Notes believed of one process.
const MAX_NOTES: usize = 256;

/// Decodes one video track in another process.
#[derive(Debug)]
pub(crate) struct IsolatedDecoder {
    isolation: Isolation,
    input: InputFile,
    key: InputKey,
    options: DecodeOptions,
    /// `None` once it is over.
    process: Option<Process>,
    ring: Option<SharedRing>,
    opened: Opened,
    desc: Option<FrameDesc>,
    /// What this side has to say: decoder processes that were started again.
    restarts: Vec<String>,
    notes: Vec<String>,
    verdict: Option<Verdict>,
    frames: u64,
    /// Slot whose frame was handed out last.
    lent: Option<u32>,
    bytes_before: u64,
    bytes: u64,
}

impl IsolatedDecoder {
    /// Starts a decoder process for one of the tracks of `input`.
    pub(crate) fn open(input: InputFile, options: DecodeOptions, isolation: Isolation) -> Result<Self> {
        let meta = input.file.metadata().map_err(|e| Error::storage("look at", &input.path, e))?;
        let key = (meta.dev(), meta.ino());
        let deaths = isolation.registry.deaths_of(key);
        if deaths >= isolation.attempts.max(1) {
            return Err(Error::DecodeWorker {
                path: input.path.clone(),
                cause: WorkerCause::Quarantined { deaths },
                frames: 0,
                stderr: String::new(),
            });
        }
        let mut restarts = Vec::new();
        loop {
            let died = match start(&isolation, &input, &options, 0) {
                Ok((process, opened)) => {
                    let notes = restarts.clone();
                    return Ok(Self {
                        isolation,
                        input,
                        key,
                        options,
                        process: Some(process),
                        ring: None,
                        opened,
                        desc: None,
                        restarts,
                        notes,
                        verdict: None,
                        frames: 0,
                        lent: None,
                        bytes_before: 0,
                        bytes: 0,
                    });
                }
                Err(Failed::Error(e)) => return Err(e),
                Err(Failed::Died(died)) => died,
            };
            restarts.push(again(&isolation, &input, key, died, 0)?);
        }
    }

    pub(crate) fn media_info(&self) -> MediaInfo {
        self.opened.info.clone()
    }

    pub(crate) const fn desc(&self) -> Option<FrameDesc> {
        self.desc
    }

    pub(crate) const fn rotation(&self) -> i32 {
        self.opened.rotation
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_before.saturating_add(self.bytes)
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) const fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    pub(crate) fn worker(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::id)
    }

    /// The next frame, valid until the next call: its slot is free again then.
    pub(crate) fn next_frame(&mut self) -> Result<Option<DecodedFrame<'_>>> {
        let filled = loop {
            let Some(process) = &mut self.process else { return Ok(None) };
            let free = self.lent.take().map_or(Ok(()), |slot| process.tell(&Order::Free(slot), None));
            match free.and_then(|()| self.wait_for_frame()) {
                Ok(Some(filled)) => break filled,
                Ok(None) => return Ok(None),
                Err(Lost::Error(e)) => {
                    self.process = None;
                    return Err(e);
                }
                Err(Lost::Died(cause)) => self.restart(cause)?,
            }
        };
        self.frames += 1;
        self.lent = Some(filled.slot);
        let (Some(ring), Some(desc)) = (&self.ring, self.desc) else {
            return Err(Error::Bug("a frame without its slots".into()));
        };
        let samples = Samples::Shared(SharedSlot { ring, slot: filled.slot });
        Ok(Some(DecodedFrame { samples, desc, info: filled.info, turn: Turn::None }))
    }

    /// Listens until a frame or the end comes.
    fn wait_for_frame(&mut self) -> Result<Option<Filled>, Lost> {
        let patience = Duration::from_secs(self.options.limits.stall_seconds);
        let since = Instant::now();
        loop {
            let Some(process) = &mut self.process else { return Ok(None) };
            match process.hear(patience, &self.options.cancel)? {
                Answer::Progress if since.elapsed() < LONGEST_WAIT => {}
                Answer::Progress => return Err(Lost::Died(process.kill(WorkerCause::Hung(LONGEST_WAIT)))),
                Answer::Notes(more) => {
                    let room = MAX_NOTES.saturating_sub(self.notes.len());
                    self.notes.extend(more.into_iter().take(room));
                }
                Answer::Shape(desc) => self.shape(desc)?,
                Answer::Frame(filled) => {
                    let slots = self.ring.as_ref().map_or(0, SharedRing::slots);
                    self.bytes = filled.bytes_read;
                    if filled.slot >= slots || filled.info.index != self.frames {
                        let what = format!("frame {} in slot {} of {slots}", filled.info.index, filled.slot);
                        return Err(self.nonsense(what));
                    }
                    return Ok(Some(filled));
                }
                Answer::Ended(ended) => return self.ended(*ended).map(|()| None),
                Answer::Opened(_) => return Err(self.nonsense("that it opened the input, again".into())),
            }
        }
    }

    fn nonsense(&mut self, what: String) -> Lost {
        let cause = WorkerCause::Protocol(what);
        Lost::Died(match &mut self.process {
            Some(process) => process.kill(cause),
            None => cause,
        })
    }

    /// Frames have another shape from now on: gives slots for it, after the checks that this process makes for itself.
    fn shape(&mut self, desc: FrameDesc) -> Result<(), Lost> {
        let limits = &self.options.limits;
        let size = desc.size;
        limits.check_picture(u64::from(size.width), u64::from(size.height), 1)?;
        let bytes = desc.format.frame_bytes(size);
        Limits::check("frame_bytes", limits.frame_bytes, bytes, || format!("the byte count of a {size} frame"))?;
        let layout = FrameLayout::required(&desc)?;
        let (slots, slot_bytes) = (self.isolation.slots.max(2), layout.slot_bytes());
        // The old slots go first, so that both are never there.
        self.ring = None;
        let (memory, ring) = SharedRing::create(slots, slot_bytes).map_err(|_| Error::Memory {
            kind: "host",
            needed_bytes: u64::from(slots) * u64::from(slot_bytes),
            limit_bytes: 0,
        })?;
        if let Some(process) = &mut self.process {
            process.tell(&Order::Slots { slots, slot_bytes }, Some(memory.as_fd()))?;
        }
        self.ring = Some(ring);
        self.desc = Some(desc);
        Ok(())
    }

    fn ended(&mut self, ended: Ended) -> Result<(), Lost> {
        let Ended { verdict, fault, bytes_read } = ended;
        let counted = verdict.as_ref().map_or(self.frames, |v| v.decoded_frames);
        if counted != self.frames {
            return Err(self.nonsense(format!("{counted} frames, of which {} came", self.frames)));
        }
        if verdict.is_none() && fault.is_none() {
            return Err(self.nonsense("an end without a verdict".into()));
        }
        self.bytes = bytes_read;
        self.verdict = verdict.map(|mut v| {
            v.notes.extend(self.restarts.iter().cloned());
            v
        });
        if let Some(process) = self.process.take() {
            process.finish();
        }
        match fault {
            None => Ok(()),
            Some(Fault::Memory { .. }) => Err(Lost::Died(refused_memory(&self.isolation))),
            Some(fault) => Err(Lost::Error(fault.into_error(&self.input.path))),
        }
    }

    /// Starts another process that goes on after the last frame, unless the input has cost enough of them.
    fn restart(&mut self, mut cause: WorkerCause) -> Result<()> {
        let mut stderr = self.process.take().map(|p| p.last_words()).unwrap_or_default();
        self.bytes_before = self.bytes_read();
        self.bytes = 0;
        self.lent = None;
        loop {
            let died = Death { cause, stderr };
            self.restarts.push(again(&self.isolation, &self.input, self.key, died, self.frames)?);
            match start(&self.isolation, &self.input, &self.options, self.frames) {
                Ok((process, _)) => {
                    self.process = Some(process);
                    self.notes.clone_from(&self.restarts);
                    return Ok(());
                }
                Err(Failed::Error(e)) => return Err(e),
                Err(Failed::Died(died)) => Death { cause, stderr } = died,
            }
        }
    }
}

fn refused_memory(isolation: &Isolation) -> WorkerCause {
    WorkerCause::OutOfMemory { how: format!("it may allocate {} MB", isolation.memory_bytes >> 20) }
}

struct Death {
    cause: WorkerCause,
    stderr: String,
}

enum Failed {
    Error(Error),
    Died(Death),
}

/// Counts a death. Gives a note where another process may be started, else the error.
fn again(isolation: &Isolation, input: &InputFile, key: InputKey, died: Death, frames: u64) -> Result<String> {
    let Death { cause, stderr } = died;
    let attempts = isolation.attempts.max(1);
    // A process that lies is not given a second chance; one that cannot be started is not the input's fault.
    let by = match cause {
        WorkerCause::Protocol(_) => attempts,
        WorkerCause::NotStarted(_) => 0,
        _ => 1,
    };
    if by > 0 && isolation.registry.count_death(key, by) < attempts {
        return Ok(format!("the decoder process {cause} after {frames} frames; another one went on"));
    }
    Err(Error::DecodeWorker { path: input.path.clone(), cause, frames, stderr })
}

/// Whether a description keeps to the limits that were given along: others calculate with its numbers.
fn believable(opened: &Opened, options: &DecodeOptions) -> Result<(), String> {
    let streams = &opened.info.video_streams;
    if options.track >= streams.len() || streams.len() as u64 > options.limits.streams {
        return Err(format!("{} video tracks", streams.len()));
    }
    let within = |s: &VideoStream| options.limits.check_picture(u64::from(s.width), u64::from(s.height), 1);
    streams.iter().try_for_each(within).map_err(|e| e.to_string())
}

/// A process that has opened the input.
fn start(
    isolation: &Isolation,
    input: &InputFile,
    options: &DecodeOptions,
    skip: u64,
) -> Result<(Process, Opened), Failed> {
    let silent = |cause| Failed::Died(Death { cause, stderr: String::new() });
    let mut process = Process::start(isolation, &input.file, options.stream).map_err(silent)?;
    let job = Job {
        name: input.path.to_string_lossy().into_owned(),
        track: options.track,
        threads: options.threads,
        limits: limit_values(&options.limits),
        hardware: match &options.hardware {
            HardwareDecode::Off => "off".into(),
            HardwareDecode::Auto => "auto".into(),
            HardwareDecode::Named(name) => name.clone(),
        },
        skip,
        slots: isolation.slots.max(2),
        memory_bytes: isolation.memory_bytes,
        cpu_seconds: isolation.cpu_seconds,
    };
    let patience = Duration::from_secs(options.limits.stall_seconds);
    let since = Instant::now();
    let answer = process.tell(&Order::Job(Box::new(job)), None).and_then(|()| {
        loop {
            match process.hear(patience, &options.cancel)? {
                Answer::Progress if since.elapsed() < LONGEST_WAIT => {}
                answer => return Ok(answer),
            }
        }
    });
    let cause = match answer {
        Ok(Answer::Opened(opened)) => match believable(&opened, options) {
            Ok(()) => return Ok((process, *opened)),
            Err(what) => process.kill(WorkerCause::Protocol(what)),
        },
        Ok(Answer::Ended(ended)) => {
            let path = &input.path;
            process.finish();
            match ended.fault {
                Some(Fault::Memory { .. }) => return Err(silent(refused_memory(isolation))),
                Some(fault) => return Err(Failed::Error(fault.into_error(path))),
                None => return Err(Failed::Error(Error::Bug("it ended before it began".into()))),
            }
        }
        Ok(_) => process.kill(WorkerCause::Protocol("frames before the input was open".into())),
        Err(Lost::Error(e)) => return Err(Failed::Error(e)),
        Err(Lost::Died(cause)) => cause,
    };
    Err(Failed::Died(Death { cause, stderr: process.last_words() }))
}
