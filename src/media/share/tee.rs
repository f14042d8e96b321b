//! One decoder, and the queues of its readers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::held::Held;
use super::{Group, QUEUE_BYTES, QUEUE_FRAMES};
use crate::core::CancelToken;
use crate::error::Result;
use crate::media::decode::{DecodeOptions, VideoDecoder};
use crate::media::probe::MediaInfo;
use crate::media::verdict::Verdict;

/// How often one that waits looks whether somebody has left or the work was cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// One decoder and who reads from it.
#[derive(Debug)]
pub(super) struct Tee {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Away while somebody decodes with it.
    decoder: Option<Box<VideoDecoder>>,
    /// What the decoder was opened for.
    threads: u32,
    isolated: bool,
    /// Whether a frame was asked of the decoder: who comes now comes too late.
    begun: bool,
    readers: BTreeMap<u64, Queue>,
    next_reader: u64,
    end: Option<End>,
    facts: Facts,
}

/// What a reader can ask a decoder, as it was at the newest frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) notes: Arc<[String]>,
    pub(super) bytes_read: u64,
    pub(super) worker: Option<u32>,
}

impl Facts {
    fn newest(&mut self, decoder: &VideoDecoder) {
        // Notes are only ever added.
        if self.notes.len() != decoder.notes().len() {
            self.notes = decoder.notes().into();
        }
        (self.bytes_read, self.worker) = (decoder.bytes_read(), decoder.worker());
    }
}

#[derive(Debug)]
struct Queue {
    place: usize,
    frames: VecDeque<Arc<Held>>,
    /// Whether it has asked for a frame.
    asks: bool,
    /// When it last took a frame.
    took: Instant,
    /// It was too slow: no more frames come.
    left_behind: bool,
}

impl Queue {
    fn is_full(&self) -> bool {
        let bytes: u64 = self.frames.iter().map(|f| f.bytes()).sum();
        self.frames.len() >= QUEUE_FRAMES || (self.frames.len() >= 2 && bytes >= QUEUE_BYTES)
    }
}

/// How decoding ended.
#[derive(Debug, Clone)]
enum End {
    Whole(Arc<Verdict>),
    /// An error: each reader meets it for itself, with what it says.
    Failed,
}

/// What a reader gets.
#[derive(Debug)]
pub(super) enum Taken {
    Frame(Arc<Held>, Facts),
    End(Arc<Verdict>, Facts),
    /// Nothing more comes from here: the reader must decode for itself.
    Lost,
}

/// A reader's seat at the tee.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) reader: u64,
    pub(super) info: MediaInfo,
    pub(super) rotation: i32,
    pub(super) facts: Facts,
}

impl Tee {
    pub(super) fn new(decoder: VideoDecoder, options: &DecodeOptions) -> Self {
        let facts = facts(&decoder);
        let state = State {
            decoder: Some(Box::new(decoder)),
            threads: options.threads,
            isolated: options.isolation.is_some(),
            begun: false,
            readers: BTreeMap::new(),
            next_reader: 0,
            end: None,
            facts,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a reader, unless it comes too late. `open` opens the decoder anew for a reader that wants more than it was opened for:
    /// isolation, more threads.
    pub(super) fn join(
        &self,
        place: usize,
        wanted: &DecodeOptions,
        open: impl FnOnce(&DecodeOptions) -> Result<VideoDecoder>,
    ) -> Result<Option<Seat>> {
        let mut state = self.lock();
        if state.begun {
            return Ok(None);
        }
        let isolates = wanted.isolation.is_some() && !state.isolated;
        // Isolation that others asked for is theirs: it is not lost for more threads.
        if isolates || (wanted.threads > state.threads && state.isolated == wanted.isolation.is_some()) {
            let threads = wanted.threads.max(state.threads);
            state.decoder = Some(Box::new(open(&DecodeOptions { threads, ..wanted.clone() })?));
            (state.threads, state.isolated) = (threads, state.isolated || isolates);
        }
        let Some(decoder) = &state.decoder else { return Ok(None) };
        let (info, rotation, facts) = (decoder.media_info(), decoder.rotation(), facts(decoder));
        let reader = state.next_reader;
        state.next_reader += 1;
        let queue = Queue { place, frames: VecDeque::new(), asks: false, took: Instant::now(), left_behind: false };
        state.readers.insert(reader, queue);
        Ok(Some(Seat { reader, info, rotation, facts }))
    }

    /// The next frame for a reader: one that waits for it, or one that is decoded now for all.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub(super) fn take(&self, reader: u64, group: &Group, cancel: &CancelToken) -> Result<Taken> {
        let patience = group.options.patience;
        let since = Instant::now();
        let mut state = self.lock();
        loop {
            cancel.check()?;
            let facts = state.facts.clone();
            let Some(queue) = state.readers.get_mut(&reader) else { return Ok(Taken::Lost) };
            queue.asks = true;
            if let Some(frame) = queue.frames.pop_front() {
                queue.took = Instant::now();
                self.changed.notify_all();
                return Ok(Taken::Frame(frame, facts));
            }
            if queue.left_behind {
                return Ok(Taken::Lost);
            }
            // It waits for others, not they for it.
            queue.took = Instant::now();
            match &state.end {
                Some(End::Whole(verdict)) => return Ok(Taken::End(Arc::clone(verdict), facts)),
                Some(End::Failed) => return Ok(Taken::Lost),
                None => {}
            }
            let may_begin = state.begun || since.elapsed() >= patience || state.all_ask(&group.present());
            if may_begin && state.room(patience) {
                state.begin();
                if let Some(decoder) = state.decoder.take() {
                    drop(state);
                    state = self.decode(decoder, group);
                    continue;
                }
            }
            let waited = self.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Decodes a frame and puts it into all queues.
    fn decode(&self, mut decoder: Box<VideoDecoder>, group: &Group) -> MutexGuard<'_, State> {
        // Were this thread to panic, the others would wait for a decoder that never comes back.
        let mut back = ComesBack { tee: self, safe: false };
        let decoded = decoder.next_frame().and_then(|frame| frame.as_ref().map(Held::of).transpose());
        back.safe = true;
        let mut state = self.lock();
        state.facts.newest(&decoder);
        match decoded {
            Ok(Some(held)) => {
                group.counts.decoded.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let held = Arc::new(held);
                for queue in state.readers.values_mut().filter(|q| !q.left_behind) {
                    queue.frames.push_back(Arc::clone(&held));
                }
                state.decoder = Some(decoder);
            }
            Ok(None) => state.end = Some(decoder.verdict().map_or(End::Failed, |v| End::Whole(Arc::new(v.clone())))),
            Err(_) => state.end = Some(End::Failed),
        }
        self.changed.notify_all();
        state
    }

    /// The reader goes away.
    pub(super) fn leave(&self, reader: u64) {
        let mut state = self.lock();
        state.readers.remove(&reader);
        // With nobody left, memory and the decoder process are given up.
        if state.begun && state.readers.is_empty() {
            state.decoder = None;
        }
        self.changed.notify_all();
    }
}

impl State {
    /// Whether a reader of each place has asked for a frame.
    fn all_ask(&self, present: &BTreeSet<usize>) -> bool {
        present.iter().all(|p| self.readers.values().any(|q| q.place == *p && q.asks))
    }

    /// Who has not asked by now comes too late: nobody knows when it will, and all would wait for it.
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.readers.values_mut().for_each(|q| q.left_behind = !q.asks);
        }
    }

    /// Whether there is room for a frame in all queues. Readers that have not taken one for too long are left behind.
    fn room(&mut self, patience: Duration) -> bool {
        let mut room = true;
        for queue in self.readers.values_mut().filter(|q| !q.left_behind && q.is_full()) {
            queue.left_behind = queue.took.elapsed() >= patience;
            room &= queue.left_behind;
        }
        room
    }
}

fn facts(decoder: &VideoDecoder) -> Facts {
    let mut facts = Facts::default();
    facts.newest(decoder);
    facts
}

/// Says that decoding failed when it is dropped by a panic.
struct ComesBack<'a> {
    tee: &'a Tee,
    safe: bool,
}

impl Drop for ComesBack<'_> {
    fn drop(&mut self) {
        if !self.safe {
            self.tee.lock().end = Some(End::Failed);
            self.tee.changed.notify_all();
        }
    }
}
