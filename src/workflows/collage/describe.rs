//! Pictures and frames to descriptors.

use std::time::Duration;

use super::config::DescriptorConfig;
use super::network::{Network, Networks};
use super::picture::{Picture, Placed, Sight};
use crate::core::{CancelToken, ColorSpec, DescriptorSpec, FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext, Recorder, UploadRing};
use crate::ops::fused::describe_image::{DescribeBound, DescribeParams, DescribePlan};
use crate::ops::resize::crop_resize::CropBox;
use crate::ops::{BatchShape, FrameBatch, RowSample};

/// Bytes of a slot of the ring that pictures go through: 32 of them at the size at which large JPEGs are decoded.
const SLOT_BYTES: u64 = 20 << 20;
/// Side of what networks are shown, about.
const SEEN: u32 = 256;
/// Plans kept, each for one shape of pictures.
const PLANS: usize = 4;

/// Makes descriptors of pictures and frames of any size, in batches.
#[derive(Debug)]
pub struct Describer {
    ctx: GpuContext,
    spec: DescriptorSpec,
    dim: usize,
    batch: u32,
    full: bool,
    network: Option<Network>,
    ring: Option<UploadRing>,
    bound: Vec<Bound>,
    /// For pictures that are compared as they are.
    compared: Option<DescribeBound>,
    cancel: CancelToken,
}

#[derive(Debug)]
struct Bound {
    shape: BatchShape,
    color: ColorSpec,
    describe: DescribeBound,
}

impl Describer {
    /// A describer for batches of up to `batch` pictures.
    ///
    /// # Errors
    /// As [`DescriptorConfig::dim`]; [`Error::Model`] of a network.
    pub fn new(
        ctx: &GpuContext,
        config: &DescriptorConfig,
        batch: u32,
        networks: &Networks,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let spec = config.spec()?;
        let network = config.method.is_neural().then(|| networks.open(ctx, config)).transpose()?;
        Ok(Self {
            ctx: ctx.clone(),
            dim: config.dim()? as usize,
            network,
            spec,
            batch: batch.max(1),
            full: config.parity,
            ring: None,
            bound: Vec::new(),
            compared: None,
            cancel: cancel.clone(),
        })
    }

    /// Numbers of a descriptor.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Size of the pictures that are compared.
    pub fn comparison(&self) -> Size {
        self.spec.size()
    }

    /// How pictures are decoded to be described.
    pub fn sight(&self) -> Sight {
        let size = self.spec.size();
        match (self.full, self.network.is_some()) {
            (true, _) => Sight::Full,
            (false, true) => Sight::AtLeast(Size::new(size.width.max(SEEN), size.height.max(SEEN))),
            (false, false) => Sight::Compared(self.spec),
        }
    }

    /// Pictures that [`Self::pictures`] describes at once, counted from the first.
    pub fn fitting<'a>(&self, pictures: impl IntoIterator<Item = &'a Picture>) -> usize {
        let (mut count, mut bytes) = (0, 0);
        for picture in pictures {
            bytes += picture.layout().map_or(u64::MAX / 2, |l| u64::from(l.slot_bytes()));
            if count == self.batch as usize || (count > 0 && bytes > SLOT_BYTES) {
                break;
            }
            count += 1;
        }
        count
    }

    /// Descriptors of pictures, one behind the other: at most as many as [`Self::fitting`] allows.
    ///
    /// # Errors
    /// `LimitExceeded` for a picture that no binding of the device holds; the budget; the device.
    pub fn pictures(&mut self, pictures: &[&Picture]) -> Result<Vec<f32>> {
        match pictures.iter().filter(|p| p.compared).count() {
            0 => self.large(pictures),
            n if n == pictures.len() => self.small(pictures),
            _ => Err(Error::Bug("pictures that are compared among others".into())),
        }
    }

    fn ring(&mut self) -> Result<&UploadRing> {
        let ring = match self.ring.take() {
            Some(ring) => ring,
            None => UploadRing::new(&self.ctx, "collage", SLOT_BYTES, 2)?,
        };
        Ok(self.ring.insert(ring))
    }

    /// Pictures that are compared as they are.
    fn small(&mut self, pictures: &[&Picture]) -> Result<Vec<f32>> {
        let layout = FrameLayout::of(PixelFormat::Rgba8, self.spec.size())
            .ok_or_else(|| Error::Bug(format!("no layout for {}", self.spec.size())))?;
        if self.compared.is_none() {
            let params = DescribeParams { spec: self.spec, color: ColorSpec::BT709, sample: RowSample::F32 };
            let plan = DescribePlan::new(&self.ctx, &layout, params)?;
            self.compared = Some(plan.bind_compared(&self.ctx, self.batch)?);
        }
        let cancel = self.cancel.clone();
        let mut slot = self.ring()?.acquire(Duration::from_secs(60), &cancel)?;
        let bytes = u64::from(layout.slot_bytes());
        for (picture, i) in pictures.iter().zip(0..) {
            picture.copy_to(&layout, i * bytes, &mut slot);
        }
        let filled = slot.finish();
        let Some(describe) = &self.compared else { return Ok(Vec::new()) };
        let (count, end) = (pictures.len() as u32, bytes * pictures.len() as u64);
        if count > describe.capacity() || end > SLOT_BYTES {
            return Err(Error::Bug(format!("room for {} of {count} pictures", describe.capacity())));
        }
        let upload = |rec: &mut Recorder<'_>| {
            filled.record_upload(rec, end);
            rec.copy(filled.buffer(), 0, describe.pictures().buffer(), 0, end);
        };
        let rows = run(&self.ctx, describe, count, upload);
        filled.release();
        rows
    }

    /// Pictures of any size.
    fn large(&mut self, pictures: &[&Picture]) -> Result<Vec<f32>> {
        let mut places = Vec::with_capacity(pictures.len());
        let (mut end, mut largest) = (0, Size::new(256, 256));
        for picture in pictures {
            let layout = picture.layout()?;
            places.push((end, layout));
            end += u64::from(layout.slot_bytes());
            // Few shapes, so that plans are used again.
            let [w, h] = [picture.size.width, picture.size.height].map(|v| v.checked_next_power_of_two().unwrap_or(v));
            largest = Size::new(largest.width.max(w), largest.height.max(h));
        }
        let limit = self.ctx.caps().max_binding_bytes;
        if end > limit {
            return Err(Error::LimitExceeded {
                name: "frame_bytes",
                what: "the byte count of a picture in GPU memory".into(),
                value: end,
                limit,
            });
        }
        let shape = BatchShape::mixed(PixelFormat::Rgba8, largest)?;
        if end > SLOT_BYTES {
            let buffer = GpuBuffer::new(&self.ctx, "collage", end, BufferUse::Storage)?;
            let mut bytes = vec![0; end as usize];
            for (picture, (offset, layout)) in pictures.iter().zip(&places) {
                picture.copy_to(layout, *offset, bytes.as_mut_slice());
            }
            buffer.write(&self.ctx, 0, &bytes)?;
            drop(bytes);
            let count = pictures.len() as u32;
            return self.describe((&Placed { buffer, places }, count), shape, ColorSpec::BT709, |_| (), false);
        }
        let cancel = self.cancel.clone();
        let mut slot = self.ring()?.acquire(Duration::from_secs(60), &cancel)?;
        for (picture, (offset, layout)) in pictures.iter().zip(&places) {
            picture.copy_to(layout, *offset, &mut slot);
        }
        let filled = slot.finish();
        let placed = Placed { buffer: filled.buffer().clone(), places };
        let count = pictures.len() as u32;
        let upload = |rec: &mut Recorder<'_>| filled.record_upload(rec, end);
        let rows = self.describe((&placed, count), shape, ColorSpec::BT709, upload, false);
        filled.release();
        rows
    }

    /// Descriptors of the first `count` frames of a batch of one shape.
    ///
    /// # Errors
    /// The budget; the device.
    pub fn frames(&mut self, frames: &dyn FrameBatch, color: ColorSpec, count: u32) -> Result<Vec<f32>> {
        let shape = BatchShape::of(frames)?;
        self.describe((frames, count), shape, color, |_| (), true)
    }

    /// The pictures that were compared last, packed RGBA without padding.
    ///
    /// # Errors
    /// The device.
    pub fn compared(&self, count: u32) -> Result<Vec<Vec<u8>>> {
        let Some(last) = self.bound.last() else { return Ok(Vec::new()) };
        let pictures = last.describe.pictures();
        let layout = pictures.layout();
        let (row, stride) = (layout.size.width as usize * 4, layout.first().stride as usize);
        let slot = layout.slot_bytes() as usize;
        let count = count.min(pictures.slots()) as usize;
        let all = pictures.buffer().read(&self.ctx, (slot * count) as u64)?;
        let tight = |bytes: &[u8]| {
            let rows = bytes.chunks(stride).take(layout.size.height as usize);
            rows.flat_map(|r| r.get(..row).unwrap_or_default()).copied().collect()
        };
        Ok(all.chunks_exact(slot.max(1)).map(tight).collect())
    }

    fn describe(
        &mut self,
        (src, count): (&dyn FrameBatch, u32),
        shape: BatchShape,
        color: ColorSpec,
        before: impl FnOnce(&mut Recorder<'_>),
        show: bool,
    ) -> Result<Vec<f32>> {
        if let Some(network) = &mut self.network {
            let mut rec = Recorder::new(&self.ctx, "describe");
            before(&mut rec);
            rec.submit()?;
            let cut = |slot| {
                let (_, layout) = src.slot(slot)?;
                Some(CropBox { slot, rect: self.spec.aspect.crop(layout.size).into() })
            };
            let boxes: Vec<CropBox> = (0..count).filter_map(cut).collect();
            let rows = network.describe(src, color, &boxes)?;
            if show {
                // Only for the pictures of it.
                self.kernels((src, count), shape, color, |_| ())?;
            }
            return Ok(rows);
        }
        self.kernels((src, count), shape, color, before)
    }

    fn kernels(
        &mut self,
        (src, count): (&dyn FrameBatch, u32),
        shape: BatchShape,
        color: ColorSpec,
        before: impl FnOnce(&mut Recorder<'_>),
    ) -> Result<Vec<f32>> {
        // The one in use is the last.
        match self.bound.iter().position(|b| b.shape == shape && b.color == color) {
            Some(at) => {
                let mut found = self.bound.remove(at);
                found.describe.set_pictures(&self.ctx, src, 0)?;
                self.bound.push(found);
            }
            None => {
                if self.bound.len() >= PLANS {
                    self.bound.remove(0);
                }
                let params = DescribeParams { spec: self.spec, color, sample: RowSample::F32 };
                let plan = DescribePlan::new(&self.ctx, shape, params)?;
                let describe = plan.bind(&self.ctx, src, self.batch.max(src.slots()))?;
                self.bound.push(Bound { shape, color, describe });
            }
        }
        let Some(Bound { describe, .. }) = self.bound.last() else { return Ok(Vec::new()) };
        if count > describe.capacity() {
            return Err(Error::Bug(format!("room for {} of {count} pictures", describe.capacity())));
        }
        run(&self.ctx, describe, count, before)
    }
}

/// Runs `before`, then describes the first `count` pictures, and waits.
fn run(
    ctx: &GpuContext,
    describe: &DescribeBound,
    count: u32,
    before: impl FnOnce(&mut Recorder<'_>),
) -> Result<Vec<f32>> {
    let mut rec = Recorder::new(ctx, "describe");
    before(&mut rec);
    describe.record(&mut rec, count);
    rec.submit()?;
    if !describe.complete(ctx, count)? {
        return Err(Error::Bug("edges of a picture were not followed to their ends".into()));
    }
    describe.rows().read(ctx, count)
}
