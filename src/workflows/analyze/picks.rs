//! Which frames to show: the sharpest, the blurriest, the busiest, spread over time.
//!
//! The best frame of each second competes with those of other seconds, so that one second does not fill the list. Memory stays
//! bounded: only as many seconds as could still be shown are kept. The choice depends on the frames alone.

use super::metrics::FrameMetrics;
use crate::core::Size;

/// Why a frame is shown.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickKind {
    /// Largest variance of the Laplacian.
    Sharpest,
    /// Smallest variance of the Laplacian among frames that are not plain (contrast of at least 8 codes).
    Blurriest,
    /// Largest motion that lasts: the smaller of the change from the frame before and to the frame after, so that a cut does not count.
    Busiest,
}

impl PickKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Sharpest, Self::Blurriest, Self::Busiest];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sharpest => "sharpest",
            Self::Blurriest => "blurriest",
            Self::Busiest => "busiest",
        }
    }
}

/// A small picture of a frame, not rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Width and height.
    pub size: Size,
    /// RGBA rows without padding; empty where none is wanted.
    pub rgba: Vec<u8>,
}

/// A frame that is shown.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct Pick {
    /// Its figures.
    pub metrics: FrameMetrics,
    /// The figure by which it was chosen.
    pub score: f64,
    /// How it looks.
    pub thumbnail: Thumbnail,
}

#[derive(Debug)]
struct Board {
    kind: PickKind,
    most: usize,
    /// (second, pick), best score per second.
    best: Vec<(i64, Pick)>,
}

/// A frame that may be shown, or the one that waits for the frame after it, as it is saved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    /// Position of its kind; `None` for the one that waits.
    pub(super) board: Option<usize>,
    pub(super) second: i64,
    pub(super) score: f64,
    pub(super) metrics: &'a FrameMetrics,
    pub(super) thumbnail: &'a Thumbnail,
}

/// Collects picks of all kinds.
#[derive(Debug)]
pub(super) struct Picks {
    boards: Vec<Board>,
    /// The frame before, which waits for the motion of the frame after it.
    waiting: Option<(FrameMetrics, Thumbnail)>,
}

/// Frames with less contrast than this are plain: blur means nothing for them.
const PLAIN_STD: f64 = 8.0;

impl Picks {
    pub(super) fn new(most: u32) -> Self {
        let boards =
            PickKind::ALL.into_iter().map(|kind| Board { kind, most: most as usize, best: Vec::new() }).collect();
        Self { boards, waiting: None }
    }

    /// Offers a frame with its thumbnail.
    pub(super) fn offer(&mut self, metrics: FrameMetrics, thumbnail: Thumbnail) {
        self.settle(metrics.motion.map(|m| m.mean()));
        self.waiting = Some((metrics, thumbnail));
    }

    /// Everything that is held, kind by kind and best first.
    pub(super) fn held(&self) -> impl Iterator<Item = Held<'_>> {
        let shown = self.boards.iter().enumerate().flat_map(|(board, b)| {
            b.best.iter().map(move |(second, p)| {
                let Pick { metrics, score, thumbnail } = p;
                Held { board: Some(board), second: *second, score: *score, metrics, thumbnail }
            })
        });
        let waiting = self.waiting.iter().map(|(metrics, thumbnail)| Held {
            board: None,
            second: 0,
            score: 0.0,
            metrics,
            thumbnail,
        });
        shown.chain(waiting)
    }

    /// Takes back what [`Self::held`] gave, in its order; `None` for a kind that there is not.
    pub(super) fn hold(&mut self, held: &Held<'_>) -> Option<()> {
        let (metrics, thumbnail) = (*held.metrics, held.thumbnail.clone());
        match held.board {
            None => self.waiting = Some((metrics, thumbnail)),
            Some(board) => {
                let pick = Pick { metrics, score: held.score, thumbnail };
                self.boards.get_mut(board)?.best.push((held.second, pick));
            }
        }
        Some(())
    }

    fn settle(&mut self, motion_after: Option<f64>) {
        let Some((metrics, thumbnail)) = self.waiting.take() else { return };
        let contrast = metrics.luma.variance.sqrt();
        let before = metrics.motion.map(|m| m.mean());
        let scores = [
            Some(metrics.luma.laplacian_variance),
            (contrast >= PLAIN_STD).then_some(-metrics.luma.laplacian_variance),
            match (before, motion_after) {
                (Some(a), Some(b)) => Some(a.min(b)).filter(|v| *v > 0.0),
                _ => None,
            },
        ];
        for (board, score) in self.boards.iter_mut().zip(scores) {
            if let Some(score) = score {
                board.offer(score, &metrics, &thumbnail);
            }
        }
    }

    /// The picks, best first.
    pub(super) fn finish(mut self) -> Vec<(PickKind, Vec<Pick>)> {
        self.settle(None);
        self.boards.into_iter().map(|b| (b.kind, b.best.into_iter().map(|(_, p)| p).collect())).collect()
    }
}

impl Board {
    fn offer(&mut self, score: f64, metrics: &FrameMetrics, thumbnail: &Thumbnail) {
        let second = metrics.info.seconds().map_or(metrics.info.index as i64, |s| s.floor() as i64);
        // Ties go to the earlier frame, which came first.
        if let Some(at) = self.best.iter().position(|(s, _)| *s == second) {
            if self.best.get(at).is_some_and(|(_, held)| held.score >= score) {
                return;
            }
            self.best.remove(at);
        } else if self.best.len() >= self.most && self.best.last().is_none_or(|(_, held)| held.score >= score) {
            return;
        }
        let at = self.best.partition_point(|(_, held)| held.score >= score);
        let pick = Pick { metrics: *metrics, score, thumbnail: thumbnail.clone() };
        self.best.insert(at, (second, pick));
        self.best.truncate(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{DifferenceSums, FrameInfo, LumaStats, Rational};

    fn frame(index: u64, sharp: f64, motion: Option<u64>) -> FrameMetrics {
        let info = FrameInfo {
            stream: 0,
            index,
            pts: Some(index as i64),
            time_base: Rational { num: 1, den: 10 },
            duration: 1,
            key: false,
            damaged: false,
        };
        let luma = LumaStats { variance: 400.0, laplacian_variance: sharp, ..LumaStats::default() };
        FrameMetrics {
            info,
            luma,
            percentiles: [0; 3],
            motion: motion.map(|m| DifferenceSums { sum_abs: m, n: 1, ..DifferenceSums::default() }),
        }
    }

    fn none() -> Thumbnail {
        Thumbnail { size: Size::new(0, 0), rgba: Vec::new() }
    }

    fn indices(picks: &[Pick]) -> Vec<u64> {
        picks.iter().map(|p| p.metrics.info.index).collect()
    }

    #[test]
    fn one_frame_a_second_best_first_and_a_cut_is_not_busy() {
        let mut p = Picks::new(2);
        for i in 0..40 {
            let motion = if i == 0 {
                None
            } else if i == 15 {
                Some(200)
            } else {
                Some(i)
            };
            p.offer(frame(i, if i == 12 || i == 13 { 90.0 } else { i as f64 }, motion), none());
        }
        let done = p.finish();
        assert_eq!(indices(&done[0].1), [12, 39]);
        assert_eq!(indices(&done[1].1), [0, 10]);
        assert_eq!(indices(&done[2].1), [38, 29]);
    }

    #[test]
    fn no_thumbnails_wanted_none_kept() {
        let mut p = Picks::new(0);
        p.offer(frame(0, 1.0, None), none());
        assert!(p.finish().iter().all(|(_, picks)| picks.is_empty()));
    }
}
