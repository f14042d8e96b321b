//! One track of one container through one decoder: packets in, frames out, everything counted.

use ffmpeg_next::Frame;

use super::codec::{Codec, Received, Sent};
use super::feed::{Damage, Feed, Next};
use super::ffmpeg::error_text;
use super::packet::PacketFacts;
use super::verdict::Counts;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Reading,
    Draining,
    Done,
}

/// A track being decoded.
pub(crate) struct Track {
    // The codec is closed before the demuxer.
    pub(crate) codec: Codec,
    pub(crate) feed: Feed,
    pub(crate) counts: Counts,
    /// Every complaint of demuxer and decoder.
    pub(crate) damage: Damage,
    /// Text of the first decoder error.
    pub(crate) first_error: Option<String>,
    /// An allocation failed within the decoder.
    pub(crate) out_of_memory: bool,
    /// What ended reading, to be reported after the last frame.
    pub(crate) failed: Option<Error>,
    held: bool,
    phase: Phase,
}

impl std::fmt::Debug for Track {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Track").field("feed", &self.feed).field("phase", &self.phase).finish_non_exhaustive()
    }
}

impl Track {
    pub(crate) fn new(feed: Feed, codec: Codec) -> Self {
        Self {
            codec,
            feed,
            counts: Counts::default(),
            damage: Damage::default(),
            first_error: None,
            out_of_memory: false,
            failed: None,
            held: false,
            phase: Phase::Reading,
        }
    }

    /// Whether anything pointed to damage so far. While this is false, all frames that came out are the same for any number of
    /// decoder threads: FFmpeg hands a frame out only after the work on it and on all packets before it has ended.
    pub(crate) fn suspicious(&self) -> bool {
        self.counts.decoder_errors > 0 || self.counts.corrupt_packets > 0 || self.codec.log.errors() > 0
    }

    /// Decodes the next frame into `frame`; false after the last.
    pub(crate) fn advance(&mut self, frame: &mut Frame) -> Result<bool> {
        self.feed.demuxer.watch.progress();
        while self.phase != Phase::Done {
            self.feed.demuxer.watch.check()?;
            match self.codec.receive(frame)? {
                Received::Frame => {
                    self.feed.demuxer.watch.progress();
                    return Ok(true);
                }
                Received::NeedsPacket => self.send()?,
                Received::End => self.phase = Phase::Done,
                Received::Bad(code) => self.decoder_error("decoder", code),
            }
        }
        Ok(false)
    }

    fn decoder_error(&mut self, at: &str, code: i32) {
        /// `ENOMEM`, the same number on all Unix systems.
        const NO_MEMORY: i32 = -12;
        let text = error_text(code);
        self.out_of_memory |= code == NO_MEMORY;
        self.counts.decoder_errors += 1;
        self.damage.note(format!("{at}: {text}"));
        self.first_error.get_or_insert(text);
    }

    /// Gives the decoder one more packet, or the end of the stream.
    fn send(&mut self) -> Result<()> {
        if self.phase == Phase::Draining {
            // It asks for more although the end was announced: it would ask for ever.
            self.phase = Phase::Done;
            return Ok(());
        }
        if !self.held {
            match self.read()? {
                Some(facts) => self.count(facts),
                None => {
                    // Announce the end so that the decoder gives out what it holds back.
                    self.phase = Phase::Draining;
                    if let Sent::Bad(code) = self.codec.send(None)? {
                        self.decoder_error("decoder", code);
                    }
                    return Ok(());
                }
            }
        }
        if self.held {
            match self.codec.send(Some(&self.feed.packet))? {
                Sent::Taken => self.held = false,
                Sent::Full => {}
                Sent::Bad(code) => {
                    self.held = false;
                    self.decoder_error("packet", code);
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, facts: PacketFacts) {
        // An empty packet means "as before" in some containers, but "the end" to a decoder.
        self.held = facts.size > 0;
        self.counts.packets += u64::from(facts.size > 0);
        self.counts.empty_packets += u64::from(facts.size == 0);
        self.counts.corrupt_packets += u64::from(facts.corrupt);
        self.counts.hidden_packets += u64::from(facts.discard);
    }

    /// The next packet of our track; `None` at the end of what can be read.
    fn read(&mut self) -> Result<Option<PacketFacts>> {
        loop {
            match self.feed.next() {
                Ok(Next::Packet(facts)) => return Ok(Some(facts)),
                Ok(Next::End) => return Ok(None),
                Ok(Next::Damaged(text)) => {
                    self.damage.note(format!("container: {text}"));
                    if self.counts.demuxer_errors.is_empty() {
                        self.counts.demuxer_errors.push(text);
                    }
                }
                // What was read before still gives frames.
                Err(e @ Error::Storage { .. }) => {
                    self.counts.demuxer_errors.push(e.to_string());
                    self.failed = Some(e);
                    return Ok(None);
                }
                Err(e) => return Err(e),
            }
        }
    }
}
