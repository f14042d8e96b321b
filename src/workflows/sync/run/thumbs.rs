//! Small pictures of the faces, for the report: one a track.

use super::passes::middle;
use super::who::TrackOf;
use crate::core::Size;
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::infer::{ElementType, Extent, IoInfo, PictureInput};
use crate::media::encode_jpeg;
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::HeldBatch;
use crate::pipeline::vision::{TensorStage, TensorStageOptions};

/// Tracks that have one, at most: the longest ones.
const MOST: usize = 48;
/// Side in pixels.
const SIDE: u32 = 128;
/// Part of the face's longer side that is added around it.
const AROUND: f32 = 1.3;

/// Takes the pictures as their frames come by.
pub(super) struct Thumbs {
    stage: TensorStage,
    /// Frame, track, crop; in order of frames.
    wanted: Vec<(u64, u32, crate::core::BoxRect)>,
}

impl Thumbs {
    pub(super) fn new(ctx: &GpuContext, tracks: &[TrackOf]) -> Result<Self> {
        let mut order: Vec<(u32, &TrackOf)> = (0u32..).zip(tracks).collect();
        order.sort_by_key(|(i, t)| (std::cmp::Reverse(t.boxes.len()), *i));
        let mut wanted: Vec<_> = order
            .into_iter()
            .take(MOST)
            .map(|(i, t)| {
                let (frame, face) = middle(t);
                (frame, i, face.squared().scaled(AROUND).to_pixels())
            })
            .collect();
        wanted.sort_by_key(|(frame, track, _)| (*frame, *track));
        let axes = [1, 3, SIDE as usize, SIDE as usize].map(Extent::Fixed).to_vec();
        let io = IoInfo { name: "thumbnail".into(), element: ElementType::F32, shape: axes };
        let picture = PictureInput { scale: 255.0, ..PictureInput::default() };
        Ok(Self { stage: TensorStage::new(ctx, &io, &picture, TensorStageOptions::default())?, wanted })
    }

    /// Hands on the pictures whose frames are in `batch` and that `keep` wants: frame, track, JPEG.
    pub(super) fn take(
        &mut self,
        batch: &HeldBatch,
        keep: &dyn Fn(u64) -> bool,
        to: &mut dyn FnMut(u64, u32, Vec<u8>),
    ) -> Result<()> {
        let (mut boxes, mut tracks) = (Vec::new(), Vec::new());
        for (slot, info) in (0u32..).zip(batch.infos()).filter(|(_, i)| keep(i.index)) {
            let start = self.wanted.partition_point(|w| w.0 < info.index);
            let here = self.wanted.iter().skip(start).take_while(|w| w.0 == info.index);
            for (_, track, rect) in here {
                boxes.push(CropBox { slot, rect: *rect });
                tracks.push((info.index, *track));
            }
        }
        let pixels = (SIDE * SIDE) as usize;
        let planes = self.stage.tensors(batch.frames(), batch.desc().color, &boxes)?;
        for ((frame, track), picture) in tracks.into_iter().zip(planes.chunks_exact(3 * pixels)) {
            let code = |plane: usize, i: usize| picture.get(plane * pixels + i).map_or(0, |v| v.round() as u8);
            let rgba: Vec<u8> = (0..pixels).flat_map(|i| [code(0, i), code(1, i), code(2, i), 255]).collect();
            to(frame, track, encode_jpeg(Size::new(SIDE, SIDE), &rgba, 85)?);
        }
        Ok(())
    }
}
