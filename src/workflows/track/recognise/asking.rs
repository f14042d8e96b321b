//! The queue of questions, and threads that ask them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::server::{Server, server};
use super::{Answer, Known, Outcome, Place, RecogniseParams};
use crate::core::{BoxF, CancelToken, Size};
use crate::error::{Error, Result};

/// So many failures in a row, and the others are not asked any more: a server that is gone would keep the run waiting for each of them.
const GIVE_UP: u32 = 5;

/// A picture and what is in it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(not(feature = "endpoint"), allow(dead_code, reason = "nobody is asked"))]
pub(in super::super) struct Question {
    pub(in super::super) frame: u64,
    pub(in super::super) seconds: f64,
    pub(in super::super) size: Size,
    pub(in super::super) jpeg: Vec<u8>,
    /// Boxes in pixels of the picture, scores, classes.
    pub(in super::super) objects: Vec<(BoxF, f32, String)>,
}

/// What a worker has to say.
struct Reply {
    frame: u64,
    outcome: Outcome,
    spent: Duration,
}

/// Questions of one video.
pub(in super::super) struct Asking {
    every: u64,
    capacity: usize,
    /// Size of the pictures as they are shown: that of boxes in answers.
    shown: Size,
    /// Frames looked at so far.
    looked: u64,
    server: Arc<Server>,
    cancel: CancelToken,
    to: Option<Sender<Question>>,
    from: Receiver<Reply>,
    /// Pictures of frames whose boxes are not known yet.
    waiting: VecDeque<Question>,
    /// Frames under way, and by how much boxes of their pictures are smaller.
    pending: BTreeSet<u64>,
    sent: BTreeMap<u64, (f64, Size)>,
    answers: BTreeMap<u64, Answer>,
    spent: Duration,
}

impl Asking {
    /// `None` where nobody is to be asked. `looked` frames were looked at before, and `answers` came for them.
    ///
    /// # Errors
    /// [`Error::Config`] for an address or a key that is none; [`Error::Usage`] in a build that asks nobody.
    pub(in super::super) fn new(
        params: &RecogniseParams,
        shown: Size,
        (looked, answers): (u64, &[Answer]),
        cancel: &CancelToken,
    ) -> Result<Option<Self>> {
        let cancel = cancel.child();
        let Some(server) = server(params, &cancel)? else { return Ok(None) };
        let (capacity, server) = (params.queue as usize, Arc::new(server));
        let (to, questions) = bounded::<Question>(capacity);
        let (reply, from) = unbounded();
        let failing = Arc::new(AtomicU32::new(0));
        for _ in 0..params.workers {
            let (server, questions, reply, failing) =
                (Arc::clone(&server), questions.clone(), reply.clone(), Arc::clone(&failing));
            // Not joined: a server that hangs must not keep a run that was cancelled.
            std::thread::Builder::new()
                .name("recogniser".into())
                .spawn(move || work(&server, &questions, &reply, &failing))
                .map_err(|e| Error::Bug(format!("no thread for the recogniser: {e}")))?;
        }
        Ok(Some(Self {
            every: u64::from(params.every.max(1)),
            capacity,
            shown,
            looked,
            server,
            cancel,
            to: Some(to),
            from,
            waiting: VecDeque::new(),
            pending: BTreeSet::new(),
            sent: BTreeMap::new(),
            answers: answers.iter().map(|a| (a.frame, a.clone())).collect(),
            spent: Duration::ZERO,
        }))
    }

    /// Bytes of questions that may be there at a time, about: pictures, and those under way once more as text.
    pub(in super::super) fn bytes(params: &RecogniseParams, shown: Size) -> u64 {
        // A JPEG of this quality has at most about 4 bits a pixel.
        let picture = shown.fit_within(params.side).area() / 2 + 4096;
        (u64::from(params.queue) + 4 * u64::from(params.workers)) * picture
    }

    /// Whether the next frame that is looked at is to be asked about. Counts it.
    pub(in super::super) fn due(&mut self) -> bool {
        self.looked += 1;
        (self.looked - 1).is_multiple_of(self.every)
    }

    /// Whether there is room for a question.
    pub(in super::super) fn has_room(&self) -> bool {
        self.waiting.len() + self.to.as_ref().map_or(0, Sender::len) < self.capacity
    }

    /// There was none.
    pub(in super::super) fn dropped(&mut self, frame: u64, seconds: f64) {
        self.answers.insert(frame, Answer { frame, seconds, outcome: Outcome::Dropped });
    }

    /// A question whose objects are not known yet; there must be room.
    pub(in super::super) fn hold(&mut self, question: Question) {
        self.waiting.push_back(question);
    }

    /// The frame whose objects are to be told next.
    pub(in super::super) fn wanted(&self) -> Option<u64> {
        self.waiting.front().map(|q| q.frame)
    }

    /// The objects of [`Self::wanted`], boxes in pixels of the picture as it is shown: the question goes off.
    pub(in super::super) fn send(&mut self, objects: impl Iterator<Item = (BoxF, f32, String)>) {
        let Some(mut question) = self.waiting.pop_front() else { return };
        let (x, y) = scales(question.size, self.shown);
        let smaller = |r: BoxF| BoxF { x: r.x * x, y: r.y * y, width: r.width * x, height: r.height * y };
        question.objects = objects.map(|(rect, score, class)| (smaller(rect), score, class)).collect();
        let (frame, seconds, size) = (question.frame, question.seconds, question.size);
        // There is room: it was seen to when the picture was taken, and others only take away.
        if self.to.as_ref().is_some_and(|to| to.try_send(question).is_ok()) {
            self.pending.insert(frame);
            self.sent.insert(frame, (seconds, size));
        } else {
            self.dropped(frame, seconds);
        }
    }

    /// The first frame whose question is still open.
    pub(in super::super) fn open(&self) -> Option<u64> {
        let sent = self.pending.first().copied();
        sent.into_iter().chain(self.wanted()).min()
    }

    /// Takes what came, without waiting.
    pub(in super::super) fn poll(&mut self) {
        while let Ok(reply) = self.from.try_recv() {
            self.take(reply);
        }
    }

    fn take(&mut self, Reply { frame, mut outcome, spent }: Reply) {
        let Some((seconds, size)) = self.sent.remove(&frame).filter(|_| self.pending.remove(&frame)) else { return };
        if let Outcome::Answered { people } = &mut outcome {
            // Back to the picture as it is shown.
            let (x, y) = scales(self.shown, size);
            for Known { place, .. } in people {
                if let Place::Box(rect) = place {
                    rect.iter_mut().zip([x, y, x, y]).for_each(|(v, f)| *v *= f);
                }
            }
        }
        self.spent += spent;
        self.answers.insert(frame, Answer { frame, seconds, outcome });
    }

    /// Answers about frames in a range.
    pub(in super::super) fn between(&self, range: std::ops::Range<u64>) -> Vec<Answer> {
        if range.is_empty() { Vec::new() } else { self.answers.range(range).map(|(_, a)| a.clone()).collect() }
    }

    /// Waits for what is under way: each question ends with its own time-out. Gives all answers in order of frames.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(in super::super) fn finish(&mut self) -> Result<Vec<Answer>> {
        while self.wanted().is_some() {
            self.send(std::iter::empty());
        }
        self.to = None;
        while !self.pending.is_empty() {
            self.cancel.check()?;
            match self.from.recv_timeout(Duration::from_millis(50)) {
                Ok(reply) => self.take(reply),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    for frame in std::mem::take(&mut self.pending) {
                        let (seconds, _) = self.sent.remove(&frame).unwrap_or((0.0, Size::new(0, 0)));
                        let outcome = Outcome::Failed { reason: "the thread that asked has ended".into() };
                        self.answers.insert(frame, Answer { frame, seconds, outcome });
                    }
                }
            }
        }
        Ok(self.answers.values().cloned().collect())
    }

    /// Time that answers took, and requests that were sent.
    pub(in super::super) fn spent(&self) -> (Duration, u64) {
        (self.spent, self.server.calls())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Pixels of `to` for a pixel of `from`, across and down.
fn scales(to: Size, from: Size) -> (f32, f32) {
    (to.width as f32 / from.width.max(1) as f32, to.height as f32 / from.height.max(1) as f32)
}

fn work(server: &Server, questions: &Receiver<Question>, to: &Sender<Reply>, failing: &AtomicU32) {
    for question in questions {
        let began = Instant::now();
        let outcome = if failing.load(Ordering::Relaxed) >= GIVE_UP {
            Outcome::Failed { reason: format!("not asked: {GIVE_UP} questions in a row had failed") }
        } else {
            match server.ask(&question) {
                Ok(people) => {
                    failing.store(0, Ordering::Relaxed);
                    Outcome::Answered { people }
                }
                Err(e) => {
                    failing.fetch_add(1, Ordering::Relaxed);
                    Outcome::Failed { reason: e.to_string() }
                }
            }
        };
        if to.send(Reply { frame: question.frame, outcome, spent: began.elapsed() }).is_err() {
            return;
        }
    }
}
