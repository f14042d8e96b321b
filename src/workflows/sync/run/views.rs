//! Vectors of the faces of tracks, from some frames of each: what persons are told apart by.

use std::time::Duration;

use super::super::tracks::overlap;
use super::log::FrameFacts;
use super::persons::FaceVector;
use super::who::TrackOf;
use crate::core::{BoxF, Point, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::align::FaceAlignment;
use crate::infer::{OnnxSession, SessionOptions, VerifiedModel};
use crate::ops::resize::warp_affine::Warp;
use crate::pipeline::HeldBatch;
use crate::pipeline::vision::{DescriptorModel, DescriptorOptions};

/// Frames of a track in which its face is looked at.
const VIEWS: usize = 4;
/// Frames around such a one in which a detected face will do.
const NEAR: u64 = 12;
/// Least overlap of a detected face with the box of the track.
const SAME_FACE: f64 = 0.7;

/// The network that makes vectors of aligned faces.
#[derive(Debug)]
pub(super) struct PersonNet {
    net: DescriptorModel<OnnxSession>,
    size: Size,
    pub(super) network: (String, String),
}

impl PersonNet {
    pub(super) fn open(ctx: &GpuContext, model: &VerifiedModel, session: &SessionOptions) -> Result<Self> {
        let session = OnnxSession::open(model, session)?;
        // One at a time: the last bits of a product of matrices depend on how many rows it has, and batches must not change a result.
        let options = DescriptorOptions { largest: 1, ..DescriptorOptions::default() };
        let net = DescriptorModel::new(ctx, session, &model.entry, options)?;
        let size = net.net().stage().spec().size;
        Ok(Self { net, size, network: (model.entry.name.clone(), model.sha256.clone()) })
    }

    /// Time inside the network so far.
    pub(super) fn running(&self) -> Duration {
        self.net.net().model().stats().total
    }
}

/// Which faces are looked at, and the network for it.
pub(super) struct Views<'a> {
    net: Option<&'a mut PersonNet>,
    /// Frame, track, key points; in order of frames.
    wanted: Vec<(u64, u32, Vec<Point>)>,
}

impl<'a> Views<'a> {
    /// Chooses frames of `tracks`; none without a network.
    pub(super) fn new(net: Option<&'a mut PersonNet>, tracks: &[TrackOf], frames: &[FrameFacts]) -> Self {
        let mut wanted = Vec::new();
        if net.is_some() {
            for (track, of) in (0u32..).zip(tracks) {
                wanted.extend(views(of, frames).into_iter().map(|(frame, points)| (frame, track, points)));
            }
            wanted.sort_by_key(|w| (w.0, w.1));
        }
        Self { net, wanted }
    }

    /// Hands on the vectors of faces in the frames of `batch` that `keep` wants: frame, track, vector.
    pub(super) fn take(
        &mut self,
        batch: &HeldBatch,
        keep: &dyn Fn(u64) -> bool,
        to: &mut dyn FnMut(u64, u32, Vec<f32>),
    ) -> Result<()> {
        let Some(net) = &mut self.net else { return Ok(()) };
        for (slot, info) in (0u32..).zip(batch.infos()).filter(|(_, i)| keep(i.index)) {
            let start = self.wanted.partition_point(|w| w.0 < info.index);
            for (_, track, points) in self.wanted.iter().skip(start).take_while(|w| w.0 == info.index) {
                // Points in one place: no face that could be turned upright.
                let Ok(alignment) = FaceAlignment::from_points(points) else { continue };
                let warp = Warp { slot, to_picture: alignment.warp(net.size) };
                let found = net.net.describe_warps(batch.frames(), batch.desc().color, &[warp])?;
                let row = found.rows().next().ok_or_else(|| Error::Bug("a face without a vector".into()))?;
                if row.iter().any(|v| *v != 0.0) {
                    to(info.index, *track, row.to_vec());
                }
            }
        }
        Ok(())
    }
}

/// Frames and key points in which a track is looked at: spread over it, each where its face was detected.
fn views(of: &TrackOf, frames: &[FrameFacts]) -> Vec<(u64, Vec<Point>)> {
    let length = of.track.boxes.len() as u64;
    let mut chosen: Vec<(u64, Vec<Point>)> = Vec::new();
    for view in 0..VIEWS as u64 {
        let middle = length * (2 * view + 1) / (2 * VIEWS as u64);
        let near = (0..=NEAR).flat_map(|by| [middle.checked_sub(by), Some(middle + by)]).flatten();
        let found = near.filter(|at| *at < length).find_map(|at| {
            let frame = of.track.first + at;
            let facts = frames.get(usize::try_from(frame).ok()?)?;
            let here = of.track.boxes.get(usize::try_from(at).ok()?)?;
            Some((frame, points(facts, here)?))
        });
        if let Some(found) = found.filter(|f| chosen.iter().all(|c| c.0 != f.0)) {
            chosen.push(found);
        }
    }
    chosen
}

/// Key points of the face of a frame that is in a box.
fn points(facts: &FrameFacts, here: &BoxF) -> Option<Vec<Point>> {
    let faces = facts.faces();
    let best = faces.iter().enumerate().map(|(i, f)| (i, overlap(f, here))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let face = faces.get(best.0).filter(|_| best.1 >= SAME_FACE)?;
    facts.points(best.0, face)
}

/// Sums of the vectors of each of `count` tracks.
pub(super) fn sums(vectors: &[(u32, Vec<f32>)], count: usize) -> Vec<Option<FaceVector>> {
    let mut all: Vec<Option<FaceVector>> = vec![None; count];
    for (track, vector) in vectors {
        match all.get_mut(*track as usize) {
            Some(Some((sum, n))) if sum.len() == vector.len() => {
                sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v);
                *n += 1;
            }
            Some(place @ None) => *place = Some((vector.clone(), 1)),
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::super::tracks::FaceTrack;
    use super::*;

    #[test]
    fn views_are_spread_over_what_was_detected() {
        let face = BoxF { x: 10.0, y: 20.0, width: 40.0, height: 50.0 };
        let eyes: Vec<Point> = (0..5).map(|i| Point { x: 12.0 + 5.0 * i as f32, y: 30.0 }).collect();
        let seen = FrameFacts {
            t: 0,
            d: 40_000,
            c: None,
            f: vec![FrameFacts::keep(&BoxF { x: 300.0, ..face }, 0.9), FrameFacts::keep(&face, 0.8)],
            p: vec![[0; 10], FrameFacts::keep_points(&face, &eyes).unwrap()],
        };
        let lost = FrameFacts { f: vec![], p: vec![], ..seen.clone() };
        let frames: Vec<FrameFacts> =
            (0..100).map(|i| if (10..20).contains(&i) { lost.clone() } else { seen.clone() }).collect();
        let boxes = vec![face; 100];
        let of = TrackOf { shot: 0, track: FaceTrack { first: 0, boxes: boxes.clone(), detected: 90 }, boxes };
        let got = views(&of, &frames);
        assert_eq!(got.iter().map(|v| v.0).collect::<Vec<_>>(), [9, 37, 62, 87], "12 was not detected");
        assert!(got[0].1.iter().zip(&eyes).all(|(a, b)| (a.x - b.x).abs() < 0.05 && (a.y - b.y).abs() < 0.05));
        assert!(views(&of, &vec![lost; 100]).is_empty());
        let of_three = sums(&[(2, vec![1.0, 0.0]), (0, vec![0.5, 0.5]), (2, vec![1.0, 1.0]), (9, vec![1.0])], 3);
        assert_eq!(of_three, [Some((vec![0.5, 0.5], 1)), None, Some((vec![2.0, 1.0], 2))]);
    }
}
