//! Mouths of a video: faces of every frame, tracks, and landmarks of one track. Frames stay on the device; two decodes, memory is boxes.

use std::path::Path;

use super::lip_motion::MouthSample;
use super::smooth::{Ends, median};
use super::tracks::FaceTrack;
use crate::core::{BoxF, FrameInfo, FrameLayout, Point};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::infer::TensorModel;
use crate::infer::tasks::face::FaceDetector;
use crate::infer::tasks::landmarks::{LandmarkModel, Landmarks, Part};
use crate::media::{DecodeOptions, VideoDecoder};
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::vision::{PictureModel, stream};
use crate::pipeline::{PipelineOptions, VideoSource, batches};

/// Frames over which the box of a face is smoothed: crops must not jump with the detector.
const SMOOTH_BOX: usize = 13;
/// Least score of the landmark model for its points to count.
pub(super) const MIN_SCORE: f32 = 0.5;

/// Faces and times of all frames.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FacesOfFrames {
    /// Faces of each frame, best first, in pixels.
    pub faces: Vec<Vec<BoxF>>,
    /// Middle of the time in which each frame is shown, in seconds on the container's clock.
    pub seconds: Vec<f64>,
}

fn source(path: &Path, decode: &DecodeOptions) -> Result<Box<VideoSource>> {
    Ok(Box::new(VideoSource::new(VideoDecoder::open(path, decode)?).0))
}

/// Middle of a frame; `usual` seconds stand for a duration that is not known, and `before` for a time.
fn middle(info: &FrameInfo, before: Option<f64>, usual: f64) -> f64 {
    let lasts = info.time_base.seconds(info.duration);
    let lasts = if lasts > 0.0 { lasts } else { usual };
    info.seconds().map_or_else(|| before.map_or(0.0, |b| b + lasts), |t| t + lasts / 2.0)
}

/// Finds the faces of every frame of `path`. `usual` is the usual time from frame to frame in seconds.
///
/// # Errors
/// Of the decoder, the device and the model.
pub fn faces_of_frames<M: TensorModel>(
    ctx: &GpuContext,
    path: &Path,
    decode: &DecodeOptions,
    pipeline: &PipelineOptions,
    net: &mut PictureModel<M>,
    head: &FaceDetector,
    usual: f64,
) -> Result<FacesOfFrames> {
    let mut all = FacesOfFrames::default();
    let report = stream(ctx, pipeline, source(path, decode)?, net, |run| {
        let found = head.decode(&run.run.outputs, run.run.places, head.options())?;
        let infos = run.batch.infos().iter().skip(run.first as usize);
        for (faces, info) in found.into_iter().zip(infos) {
            let at = middle(info, all.seconds.last().copied(), usual);
            all.seconds.push(at);
            all.faces.push(faces.into_iter().map(|f| f.rect).collect());
        }
        Ok(())
    })?;
    report.result?;
    Ok(all)
}

/// Measures the mouth of one track in every frame of it; `seconds` are the times of all frames ([`FacesOfFrames`]). Frames in which the landmark model sees no face are left out.
///
/// # Errors
/// Of the decoder, the device and the model.
pub fn mouths<M: TensorModel>(
    ctx: &GpuContext,
    path: &Path,
    decode: &DecodeOptions,
    pipeline: &PipelineOptions,
    net: &mut PictureModel<M>,
    adapter: &LandmarkModel,
    track: &FaceTrack,
    seconds: &[f64],
) -> Result<Vec<MouthSample>> {
    let boxes = smoothed(track);
    let element = net.stage().element_bytes();
    let mut mouths = Vec::new();
    let ((), report) = batches(
        ctx,
        pipeline,
        source(path, decode)?,
        &move |_: &FrameLayout, n: u32| 4 * element * u64::from(n),
        |all| {
            while let Some(batch) = all.next_batch()? {
                let (mut crops, mut at) = (Vec::new(), Vec::new());
                for (slot, info) in (0u32..).zip(batch.infos()) {
                    let inside = info.index.checked_sub(track.first).and_then(|i| boxes.get(usize::try_from(i).ok()?));
                    if let Some(face) = inside {
                        crops.push(CropBox { slot, rect: adapter.crop(face).to_pixels() });
                        at.push(usize::try_from(info.index).ok().and_then(|i| seconds.get(i).copied()));
                    }
                }
                let prepared = net.submit(batch.frames(), batch.desc().color, &crops)?;
                let mut at = at.into_iter();
                net.finish(prepared, &[], |run| {
                    let found = adapter.decode(&run.outputs, run.places)?;
                    for (found, at) in found.into_iter().zip(&mut at) {
                        let seen = found.filter(|l| l.score.is_none_or(|s| s >= MIN_SCORE));
                        mouths.extend(seen.zip(at).map(|(l, seconds)| MouthSample { seconds, measures: measures(&l) }));
                    }
                    Ok(())
                })?;
                if batch.infos().last().is_some_and(|i| i.index >= track.last()) {
                    break;
                }
            }
            Ok(())
        },
    )?;
    report.result?;
    // Sizes are those of the face, whose distance may change slowly: the eyes' distance would be noise frame by frame.
    let mut sizes: Vec<f64> = track.boxes.iter().map(|b| f64::from(b.width.max(b.height))).collect();
    sizes.sort_by(f64::total_cmp);
    let size = sizes.get(sizes.len() / 2).copied().unwrap_or(1.0).max(1.0);
    for m in &mut mouths {
        m.measures = m.measures.map(|area| area / (size * size));
    }
    Ok(mouths)
}

/// Boxes of a track with centre and size smoothed over time, up to its ends.
pub(super) fn smoothed(track: &FaceTrack) -> Vec<BoxF> {
    let line = |of: fn(&BoxF) -> f32| {
        let values: Vec<f64> = track.boxes.iter().map(|b| f64::from(of(b))).collect();
        median(&values, SMOOTH_BOX, Ends::Shrink)
    };
    let (x, y) = (line(|b| b.center().x), line(|b| b.center().y));
    let (w, h) = (line(|b| b.width), line(|b| b.height));
    let sides = w.into_iter().zip(h);
    x.into_iter()
        .zip(y)
        .zip(sides)
        .map(|((x, y), (w, h))| BoxF::from_center(x as f32, y as f32, w as f32, h as f32))
        .collect()
}

/// Area within the lips, area of the lips, in square pixels.
pub(super) fn measures(l: &Landmarks) -> [f64; 2] {
    [area(&l.part(Part::InnerLips)), area(&l.part(Part::OuterLips))]
}

/// Area of a closed contour.
fn area(points: &[Point]) -> f64 {
    let next = points.iter().cycle().skip(1);
    let cross = |(a, b): (&Point, &Point)| f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y);
    points.iter().zip(next).map(cross).sum::<f64>().abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_by_hand() {
        let square = [(1.0, 1.0), (3.0, 1.0), (3.0, 4.0), (1.0, 4.0)].map(|(x, y)| Point { x, y });
        assert!((area(&square) - 6.0).abs() < 1e-12 && area(&[]) == 0.0);
    }
}
