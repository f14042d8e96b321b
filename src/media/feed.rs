//! The packets of one stream of an open container, and how reading ends.

use ffmpeg_next as ff;

use super::demux::{Demuxer, Read};
use super::ffmpeg::error_text;
use super::packet::PacketFacts;
use super::streams::StreamInfo;
use crate::core::Limits;
use crate::error::{Error, Result};

/// Failed reads in a row after which the rest of a container is given up.
const MAX_READ_FAILURES: u32 = 16;
/// Texts kept of a list of damage; more are only counted.
pub(crate) const MAX_NOTES: usize = 1000;

/// What reading on gave.
pub(crate) enum Next {
    /// A packet of the stream, in [`Feed::packet`].
    Packet(PacketFacts),
    /// The demuxer met damage; more may follow.
    Damaged(String),
    /// The end of what can be read.
    End,
}

/// What was found damaged: the number of places, and what was said about the first ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) texts: Vec<String>,
    pub(crate) count: u64,
}

impl Damage {
    pub(crate) fn note(&mut self, text: String) {
        self.count += 1;
        if self.texts.len() < MAX_NOTES {
            self.texts.push(text);
        }
    }
}

/// One stream of an open container, packet by packet.
pub(crate) struct Feed {
    pub(crate) demuxer: Demuxer,
    pub(crate) stream: StreamInfo,
    /// The newest packet, after [`Self::next`] returned one.
    pub(crate) packet: ff::Packet,
    /// Latest end of a packet of any stream in seconds, where that is watched.
    pub(crate) others_end: Option<f64>,
    pub(crate) watch_others: bool,
    packet_limit: u64,
    failures: u32,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed")
            .field("demuxer", &self.demuxer)
            .field("stream", &self.stream.index)
            .finish_non_exhaustive()
    }
}

impl Feed {
    /// `watch_others` keeps the packets of all streams coming, to see where the file ends.
    pub(crate) fn new(mut demuxer: Demuxer, stream: StreamInfo, packet_limit: u64, watch_others: bool) -> Self {
        demuxer.keep(|i| watch_others || i == stream.index);
        let packet = ff::Packet::empty();
        Self { demuxer, stream, packet, others_end: None, watch_others, packet_limit, failures: 0 }
    }

    /// Reads on. `Cancelled`, `Deadline` and `LimitExceeded` end the work; after `Storage` (the file could not be read) nothing
    /// more comes. Asking starts no new deadline: who asks says with `watch.progress()` when it does.
    pub(crate) fn next(&mut self) -> Result<Next> {
        loop {
            self.demuxer.watch.check()?;
            match self.demuxer.read(&mut self.packet) {
                Read::Packet(facts) => {
                    self.failures = 0;
                    self.watch_end(facts);
                    if facts.stream == self.stream.index {
                        Limits::check("packet_bytes", self.packet_limit, facts.size, || {
                            "the size of a compressed packet in bytes".to_owned()
                        })?;
                        return Ok(Next::Packet(facts));
                    }
                }
                // Ends at the deadline at the latest: asking again is no progress.
                Read::Again => {}
                Read::End => return self.demuxer.take_io_error().map_or(Ok(Next::End), Err),
                Read::Failed(code) => {
                    self.failures += 1;
                    return match self.demuxer.error("reading failed", code) {
                        e @ (Error::Cancelled | Error::Deadline { .. } | Error::Storage { .. }) => Err(e),
                        _ if self.failures > MAX_READ_FAILURES => Ok(Next::End),
                        _ => Ok(Next::Damaged(format!("reading failed: {}", error_text(code)))),
                    };
                }
            }
        }
    }

    fn watch_end(&mut self, facts: PacketFacts) {
        if self.watch_others
            && let (Some(end), Some(stream)) = (facts.end, self.demuxer.streams.get(facts.stream))
        {
            let seconds = stream.time_base.seconds(end);
            self.others_end = Some(self.others_end.map_or(seconds, |e| e.max(seconds)));
        }
    }
}
