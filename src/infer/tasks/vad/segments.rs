//! From probabilities of windows to segments of speech, one window at a time.
//!
//! The rules are those that the authors of Silero VAD document for their utility: speech begins with the first window of at least
//! `threshold`; it ends where the probability fell below `negative_threshold` if it did not reach `threshold` again within `min_silence`;
//! what is not longer than `min_speech` is dropped; segments grow by `padding` on both sides, or meet in the middle of shorter gaps. Speech
//! that would exceed `max_speech` ends with its last pause of more than 98 ms, or right there when it had none.

use crate::error::{Error, Result};

/// Silence after which long speech may be cut, milliseconds: that of the authors.
const CUT_MS: u32 = 98;

/// Rules for segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeechOptions {
    /// Probability from which a window is speech.
    pub threshold: f32,
    /// Probability below which speech may end, at most `threshold`.
    pub negative_threshold: f32,
    /// Shorter speech is dropped, milliseconds.
    pub min_speech_ms: u32,
    /// Shorter silence does not end speech, milliseconds.
    pub min_silence_ms: u32,
    /// Added on both sides, milliseconds.
    pub padding_ms: u32,
    /// Longest segment with its padding, milliseconds: transcribers have a limit. `None`: as long as somebody speaks.
    pub max_speech_ms: Option<u32>,
}

impl Default for SpeechOptions {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            negative_threshold: 0.35,
            min_speech_ms: 250,
            min_silence_ms: 100,
            padding_ms: 30,
            max_speech_ms: None,
        }
    }
}

/// A stretch of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeechSegment {
    /// First sample.
    pub start: u64,
    /// Sample behind the last one.
    pub end: u64,
}

impl SpeechSegment {
    /// Start and end in seconds.
    pub fn seconds(&self, rate: u32) -> (f64, f64) {
        (self.start as f64 / f64::from(rate), self.end as f64 / f64::from(rate))
    }
}

/// The state between windows. All in samples.
#[derive(Debug, Clone)]
pub(super) struct Segmenter {
    options: SpeechOptions,
    hop: u64,
    min_speech: u64,
    min_silence: u64,
    padding: u64,
    /// Longest speech without padding, and silence at which it may be cut.
    max_speech: Option<u64>,
    cut_silence: u64,
    /// First sample of the window that comes next.
    at: u64,
    /// Speech that has begun.
    begun: Option<u64>,
    /// Where it may have ended.
    fell: Option<u64>,
    /// The last pause of the speech that has begun: where it began, and where speech went on.
    pause: Option<(u64, Option<u64>)>,
    /// A segment whose end still depends on where the next one begins; its start is padded already.
    waiting: Option<SpeechSegment>,
}

impl Segmenter {
    pub(super) fn new(rate: u32, hop: u64, options: SpeechOptions) -> Result<Self> {
        let wrong = |field: &str, message: String| Err(Error::Config { field: format!("vad.{field}"), message });
        if !(options.threshold > 0.0 && options.threshold <= 1.0) {
            return wrong("threshold", format!("must be over 0 and at most 1, got {}", options.threshold));
        }
        if !(options.negative_threshold > 0.0 && options.negative_threshold <= options.threshold) {
            let (n, t) = (options.negative_threshold, options.threshold);
            return wrong("negative_threshold", format!("must be over 0 and at most the threshold {t}, got {n}"));
        }
        let samples = |ms: u32| u64::from(ms) * u64::from(rate) / 1000;
        let padding = samples(options.padding_ms);
        let room = |ms: u32| samples(ms).checked_sub(hop + 2 * padding).filter(|n| *n > 0);
        let max_speech = match options.max_speech_ms.map(|ms| (ms, room(ms))) {
            None => None,
            Some((_, Some(most))) => Some(most),
            Some((ms, None)) => {
                let least = (hop + 2 * padding) * 1000 / u64::from(rate.max(1));
                return wrong("max_speech_ms", format!("must be over {least}, a window with its padding, got {ms}"));
            }
        };
        Ok(Self {
            options,
            hop,
            min_speech: samples(options.min_speech_ms),
            min_silence: samples(options.min_silence_ms),
            padding,
            max_speech,
            cut_silence: samples(CUT_MS),
            at: 0,
            begun: None,
            fell: None,
            pause: None,
            waiting: None,
        })
    }

    /// The next window; segments that are final with it.
    pub(super) fn push(&mut self, probability: f32) -> Vec<SpeechSegment> {
        let now = self.at;
        self.at += self.hop;
        let mut done = Vec::new();
        let speech = probability >= self.options.threshold;
        if speech {
            if let (Some(_), Some((_, next @ None))) = (self.fell.take(), &mut self.pause) {
                *next = Some(now);
            }
            self.begun.get_or_insert(now);
        }
        if let (Some(start), Some(most)) = (self.begun, self.max_speech)
            && now - start > most
        {
            let pause = self.pause.take();
            self.fell = None;
            // Speech goes on behind its last pause; without one it begins anew with the next window.
            let (end, next) = pause.unwrap_or((now, None));
            self.begun = next;
            done.extend(self.close(start, end));
            if pause.is_none() {
                return done;
            }
        }
        if probability < self.options.negative_threshold
            && let Some(start) = self.begun
        {
            let end = *self.fell.get_or_insert(now);
            if now - end > self.cut_silence {
                self.pause = Some((end, None));
            }
            if now - end >= self.min_silence {
                (self.begun, self.fell, self.pause) = (None, None, None);
                if end - start > self.min_speech {
                    done.extend(self.close(start, end));
                }
            }
        }
        if done.is_empty() {
            // Whatever begins from now on is too far away to share a gap with the one that waits.
            let open = self.begun.unwrap_or(self.at);
            let last = self.waiting.take_if(|w| open >= w.end + 2 * self.padding);
            done.extend(last.map(|w| self.padded(w)));
        }
        done
    }

    fn padded(&self, s: SpeechSegment) -> SpeechSegment {
        SpeechSegment { end: s.end + self.padding, ..s }
    }

    /// A segment has ended: it shares its gap with the one before, which is final now, and waits.
    fn close(&mut self, start: u64, end: u64) -> Option<SpeechSegment> {
        let before = self.waiting.take();
        let gap = before.map(|b| start - b.end);
        let half = gap.filter(|g| *g < 2 * self.padding).map(|g| g / 2);
        self.waiting = Some(SpeechSegment { start: start.saturating_sub(half.unwrap_or(self.padding)), end });
        before.map(|b| SpeechSegment { end: b.end + half.unwrap_or(self.padding), ..b })
    }

    /// The end of the samples.
    pub(super) fn finish(mut self, samples: u64) -> Vec<SpeechSegment> {
        let open = self.begun.filter(|start| samples.saturating_sub(*start) > self.min_speech);
        let mut found: Vec<SpeechSegment> = open.and_then(|start| self.close(start, samples)).into_iter().collect();
        found.extend(self.waiting.take().map(|w| SpeechSegment { end: (w.end + self.padding).min(samples), ..w }));
        found
    }
}
