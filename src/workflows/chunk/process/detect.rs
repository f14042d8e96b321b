//! Sliced detection: a detector on the chunks of each frame, its boxes brought back to the frame and merged.

use std::collections::VecDeque;
use std::rc::Rc;

use super::model::AT_ONCE;
use super::placement::Placement;
use super::run::{ProcessReport, begun, check_size, places};
use crate::core::{BoxRect, Detection, FrameDesc, FrameInfo, FrameLayout, MergeRule, Rect, merge_detections};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::detect::{DetectOptions, Detector};
use crate::infer::{OnnxSession, SessionOptions, Task, TensorModel, VerifiedModel};
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::vision::{PictureModel, Prepared, TensorStageOptions};
use crate::pipeline::{FrameSource, HeldBatch, PipelineOptions, batches};

/// A detector for chunks.
#[derive(Debug)]
pub struct ChunkDetector<M: TensorModel = OnnxSession> {
    model: PictureModel<M>,
    reader: Detector,
    /// What is kept of a tile.
    pub options: DetectOptions,
    /// How tiles are merged.
    pub merge: MergeRule,
}

impl ChunkDetector {
    /// For a model of task `detect`.
    ///
    /// # Errors
    /// [`Error::Usage`] for models of other tasks; [`Error::Model`].
    pub fn open(ctx: &GpuContext, model: &VerifiedModel, session: &SessionOptions) -> Result<Self> {
        let entry = &model.entry;
        if entry.task != Task::Detect {
            return Err(Error::usage(format!("`{}` is a model for {}, not for detection", entry.name, entry.task)));
        }
        let session = OnnxSession::open(model, session)?;
        let reader = Detector::new(entry, session.inputs(), session.outputs())?;
        let picture = entry.picture.clone().unwrap_or_default();
        let model = PictureModel::new(ctx, session, &picture, AT_ONCE, TensorStageOptions::default())?;
        let options = reader.options().clone();
        let merge = MergeRule { agnostic: options.class_agnostic, ..MergeRule::default() };
        Ok(Self { model, options, reader, merge })
    }
}

impl<M: TensorModel> ChunkDetector<M> {
    /// Names of the classes, where the model has them.
    pub fn classes(&self) -> Vec<String> {
        let names = self.reader.classes();
        let name = |i: usize| Some(names?.name(u32::try_from(i).ok()?)?.to_owned());
        (0..names.map_or(0, |n| n.len())).filter_map(name).collect()
    }
}

/// A frame with what was found in its chunks.
#[non_exhaustive]
#[derive(Debug)]
pub struct FrameDetections<'a> {
    /// Format, size and colour.
    pub desc: FrameDesc,
    /// Place and time in its stream.
    pub info: FrameInfo,
    /// Boxes in pixels of the frame, best first.
    pub detections: &'a [Detection],
    /// Numbers of the chunks that were looked at.
    pub chunks: &'a [u32],
    /// The frame's bytes and how they lie, when they were asked for.
    pub frame: Option<(FrameLayout, &'a mut [u8])>,
}

/// A tile: frame in its batch, rectangle and number of its chunk.
type TileBox = (usize, Rect, u32);

/// Tiles of a batch whose tensors are being made: as many as one binding holds.
struct Ahead {
    batch: Rc<HeldBatch>,
    prepared: Prepared,
    boxes: Vec<TileBox>,
    /// Whether the batch is done with them.
    last: bool,
}

/// What was found in a batch so far.
#[derive(Default)]
struct Gathered {
    found: Vec<Vec<(Detection, Rect)>>,
    boxes: Vec<TileBox>,
}

/// Finds objects in the chunks of `placement` in all frames of `source`, and hands the frames on in order; with `pixels`, their bytes as
/// well. Tensors are cut from the decoder's samples on the GPU, tiles of many frames go through the model at once, and the next batch is
/// decoded and cut meanwhile.
///
/// # Errors
/// [`Error::Usage`] for frames of another size than the placement was made for; those of the model, the device, the sink. How the
/// source ended is in the report.
pub fn detect_chunks<M: TensorModel>(
    ctx: &GpuContext,
    source: Box<dyn FrameSource + '_>,
    placement: &Placement,
    detector: &mut ChunkDetector<M>,
    pipeline: &PipelineOptions,
    pixels: bool,
    sink: &mut dyn FnMut(FrameDetections<'_>) -> Result<()>,
) -> Result<ProcessReport> {
    let mut started = None;
    let element = detector.model.stage().element_bytes();
    let chunks = placement.chunks.len() as u64;
    // Tiles whose tensors one binding holds.
    let most = usize::try_from(ctx.caps().max_binding_bytes / element.max(1)).unwrap_or(usize::MAX).max(1);
    // Two tensors on the device and two where the host reads them.
    let bytes = move |_: &FrameLayout, batch: u32| 4 * element * (u64::from(batch) * chunks).min(most as u64);
    let options = PipelineOptions { ring_slots: pipeline.ring_slots.max(3), ..pipeline.clone() };
    let (mut frames, mut tiles, mut area, mut frame_area) = (0, 0, 0, 0);
    let ((), report) = batches(ctx, &options, source, &bytes, |all| {
        let mut ahead: VecDeque<Ahead> = VecDeque::new();
        let mut gathered = Gathered::default();
        loop {
            let next = all.next_batch()?;
            let end = next.is_none();
            if let Some(batch) = next {
                check_size(placement, batch.desc().size)?;
                let fade = begun(&mut started, 0.0, batch.infos())?;
                let boxes: Vec<TileBox> =
                    places(placement, &fade, batch.infos()).into_iter().map(|p| (p.frame, p.rect, p.id)).collect();
                frames += batch.infos().len() as u64;
                frame_area += batch.desc().size.area() * batch.infos().len() as u64;
                tiles += boxes.len() as u64;
                area += boxes.iter().map(|(_, r, _)| u64::from(r.width) * u64::from(r.height)).sum::<u64>();
                let batch = Rc::new(batch);
                let groups = boxes.len().div_ceil(most).max(1);
                for group in 0..groups {
                    let own = boxes.get(group * most..boxes.len().min((group + 1) * most)).unwrap_or_default();
                    let crops: Vec<CropBox> = own.iter().map(|(frame, r, _)| crop(*frame, r)).collect();
                    let prepared = detector.model.submit(batch.frames(), batch.desc().color, &crops)?;
                    let (batch, boxes) = (Rc::clone(&batch), own.to_vec());
                    ahead.push_back(Ahead { batch, prepared, boxes, last: group + 1 == groups });
                    while ahead.len() > 1 {
                        hand_on(ctx, ahead.pop_front(), &mut gathered, (detector, pixels), sink)?;
                    }
                }
            }
            if end {
                while !ahead.is_empty() {
                    hand_on(ctx, ahead.pop_front(), &mut gathered, (detector, pixels), sink)?;
                }
                return Ok(());
            }
        }
    })?;
    Ok(ProcessReport { frames, tiles, pixels: area, frame_pixels: frame_area, source: report })
}

fn crop(frame: usize, r: &Rect) -> CropBox {
    // Sides are at most 32,768.
    let rect = BoxRect { x: r.x as i32, y: r.y as i32, width: r.width, height: r.height };
    CropBox { slot: frame as u32, rect }
}

/// Runs the model on the oldest tiles; gives the frames of their batch to `sink` where they are the last of it.
fn hand_on<M: TensorModel>(
    ctx: &GpuContext,
    oldest: Option<Ahead>,
    gathered: &mut Gathered,
    (detector, pixels): (&mut ChunkDetector<M>, bool),
    sink: &mut dyn FnMut(FrameDetections<'_>) -> Result<()>,
) -> Result<()> {
    let Some(Ahead { batch, prepared, boxes, last }) = oldest else { return Ok(()) };
    let ChunkDetector { model, reader, options, merge } = detector;
    gathered.found.resize_with(batch.infos().len(), Vec::new);
    let (found, mut rest) = (&mut gathered.found, boxes.iter());
    model.finish(prepared, &[], |run| {
        for (detections, (frame, rect, _)) in
            reader.decode(&run.outputs, run.places, options)?.into_iter().zip(rest.by_ref())
        {
            let into = found.get_mut(*frame).ok_or_else(|| Error::Bug("a box of no frame".into()))?;
            into.extend(detections.into_iter().map(|d| (d, *rect)));
        }
        Ok(())
    })?;
    gathered.boxes.extend(boxes);
    if !last {
        return Ok(());
    }
    let Gathered { found, boxes } = std::mem::take(gathered);
    let layout = *batch.frames().layout();
    let slot = layout.slot_bytes() as usize;
    let mut bytes = match pixels {
        true => batch.frames().buffer().read(ctx, (slot * batch.infos().len()) as u64)?,
        false => Vec::new(),
    };
    let mut slots = bytes.chunks_exact_mut(slot.max(1));
    for (i, (info, found)) in batch.infos().iter().zip(&found).enumerate() {
        let detections = merge_detections(found, batch.desc().size, merge);
        let mut chunks: Vec<u32> = boxes.iter().filter(|(frame, ..)| *frame == i).map(|(.., id)| *id).collect();
        chunks.sort_unstable();
        let frame = slots.next().map(|bytes| (layout, bytes));
        sink(FrameDetections { desc: *batch.desc(), info: *info, detections: &detections, chunks: &chunks, frame })?;
    }
    Ok(())
}
