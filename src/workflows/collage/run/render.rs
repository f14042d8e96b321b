//! Pictures of the pool made as large as the output: cropped to its aspect, made smaller where they are decoded, enlarged on the GPU.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{bounded, unbounded};

use super::super::picture::{Picture, Placed};
use super::super::pool::PoolPicture;
use crate::core::{Aspect, BudgetPermit, CancelToken, FrameLayout, Limits, PixelFormat, Rect, Size};
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext, Recorder};
use crate::media::read_image;
use crate::ops::resize::lanczos3::Lanczos3Plan;
use crate::ops::{BatchShape, FramesBound, GpuFrames};

/// Plans kept.
const PLANS: usize = 8;

/// Enlarges pictures to one size, on the GPU.
#[derive(Debug)]
pub(super) struct Renderer {
    ctx: GpuContext,
    out: GpuFrames,
    plans: Vec<(BatchShape, Lanczos3Plan)>,
}

impl Renderer {
    /// Makes pictures of `size`.
    pub(super) fn new(ctx: &GpuContext, size: Size) -> Result<Self> {
        let out = GpuFrames::new(ctx, "collage", PixelFormat::Rgba8, size, 1)?;
        Ok(Self { ctx: ctx.clone(), out, plans: Vec::new() })
    }

    /// Size of what is made.
    pub(super) fn size(&self) -> Size {
        self.out.layout().size
    }

    /// Takes `bytes` of the host's memory for pictures that are kept.
    ///
    /// # Errors
    /// The budget.
    pub(super) fn hold(&self, bytes: u64) -> Result<BudgetPermit> {
        let pool = self.ctx.pool();
        // Buffers that are idle count too, and can go.
        pool.host_budget().try_acquire(bytes).or_else(|_| {
            pool.trim();
            pool.host_budget().try_acquire(bytes)
        })
    }

    /// The picture, as a [`Loader`] gives it, at the output's size: rows of RGBA without padding.
    ///
    /// # Errors
    /// The budget; the device.
    pub(super) fn render(&mut self, picture: Picture) -> Result<Vec<u8>> {
        if picture.size == self.size() {
            return Ok(picture.rgba);
        }
        let layout = picture.layout()?;
        let bytes = u64::from(layout.slot_bytes());
        let buffer = GpuBuffer::new(&self.ctx, "collage", bytes, BufferUse::Storage)?;
        let mut rows = vec![0; bytes as usize];
        picture.copy_to(&layout, 0, rows.as_mut_slice());
        buffer.write(&self.ctx, 0, &rows)?;
        let placed = Placed { buffer, places: vec![(0, layout)] };
        let bound = self.bind(&placed, picture.size)?;
        let mut rec = Recorder::new(&self.ctx, "collage");
        bound.record(&mut rec, 1);
        rec.submit()?;
        let bytes = self.out.read_slot(&self.ctx, 0)?;
        Ok(tight(bytes, self.out.layout()))
    }

    fn bind(&mut self, src: &Placed, from: Size) -> Result<FramesBound> {
        let [w, h] = [from.width, from.height].map(|v| v.checked_next_power_of_two().unwrap_or(v));
        let shape = BatchShape::mixed(PixelFormat::Rgba8, Size::new(w, h))?;
        let known = self.plans.iter().find(|(s, _)| *s == shape).map(|(_, p)| p.clone());
        let plan = match known {
            Some(plan) => plan,
            None => {
                let plan = Lanczos3Plan::new(&self.ctx, shape, self.out.layout())?;
                if self.plans.len() >= PLANS {
                    self.plans.remove(0);
                }
                self.plans.push((shape, plan.clone()));
                plan
            }
        };
        plan.bind(&self.ctx, src, 0, &self.out, 0)
    }
}

/// The part of a picture inside `crop`.
fn cropped(picture: Picture, crop: Rect) -> Picture {
    let size = Size::new(crop.width, crop.height);
    if size == picture.size {
        return picture;
    }
    let row = picture.size.width as usize * 4;
    let (left, width) = (crop.x as usize * 4, crop.width as usize * 4);
    let rows = picture.rgba.chunks_exact(row.max(1)).skip(crop.y as usize).take(crop.height as usize);
    let rgba = rows.flat_map(|r| r.get(left..left + width).unwrap_or_default()).copied().collect();
    Picture { size, source: picture.source, rgba, compared: false }
}

/// Rows of a slot without padding.
fn tight(mut bytes: Vec<u8>, layout: &FrameLayout) -> Vec<u8> {
    let (row, stride) = (layout.size.width as usize * 4, layout.first().stride as usize);
    for y in 1..layout.size.height as usize {
        bytes.copy_within(y * stride..y * stride + row, y * row);
    }
    bytes.truncate(layout.size.height as usize * row);
    bytes
}

/// Bytes of a picture of the pool, if its content is still what it was.
fn content(picture: &PoolPicture, limits: &Limits) -> Result<Vec<u8>> {
    let bytes = read_image(Path::new(&picture.path), limits)?;
    if blake3::hash(&bytes).to_hex().as_str() != picture.blake3 {
        let message = format!("a picture has changed since it was indexed; build the index again: {}", picture.path);
        return Err(Error::Index { cause: "stale", message });
    }
    Ok(bytes)
}

/// Decodes pictures ahead of whoever takes them.
pub(super) struct Loader<'a> {
    pub(super) pictures: &'a [PoolPicture],
    pub(super) limits: &'a Limits,
    /// Pictures are cropped as those that are compared at this aspect.
    pub(super) aspect: Aspect,
    /// Pictures that are larger along both sides are made as small as this: each pixel the mean of what it covers.
    pub(super) size: Size,
    pub(super) threads: usize,
    pub(super) cancel: &'a CancelToken,
}

impl Loader<'_> {
    fn load(&self, picture: &PoolPicture) -> Result<Picture> {
        let bytes = content(picture, self.limits)?;
        let to = self.size;
        let whole = Picture::decode(&bytes, Path::new(&picture.path), self.limits, Some(to))?;
        let crop = self.aspect.crop(whole.size);
        if crop.width < to.width || crop.height < to.height {
            return Ok(cropped(whole, crop));
        }
        whole.reduced(crop, to)
    }

    /// Hands `take` the pictures of `ids`, in this order, each with its position in `ids`.
    ///
    /// # Errors
    /// Those of `take`; `Cancelled`. A picture that cannot be decoded is an `Err` in its place.
    pub(super) fn run(&self, ids: &[u32], mut take: impl FnMut(usize, Result<Picture>) -> Result<()>) -> Result<()> {
        let threads = self.threads.clamp(1, ids.len().max(1));
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (to, from) = unbounded();
            // A picture needs a ticket before it gets a number: the one that is waited for always has one.
            let (give, tickets) = bounded(threads + 3);
            for _ in 0..threads + 3 {
                let _ = give.send(()); // there is room
            }
            for _ in 0..threads {
                let (to, tickets, next) = (to.clone(), tickets.clone(), &next);
                scope.spawn(move || {
                    while tickets.recv().is_ok() {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(id) = ids.get(at) else { return };
                        let picture = match self.pictures.get(*id as usize) {
                            Some(picture) => self.load(picture),
                            None => Err(Error::Bug(format!("no picture {id}"))),
                        };
                        if to.send((at, picture)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop((to, tickets));
            let mut early = HashMap::new();
            let mut taken = || {
                for wanted in 0..ids.len() {
                    let picture = loop {
                        self.cancel.check()?;
                        if let Some(picture) = early.remove(&wanted) {
                            break picture;
                        }
                        let (at, picture) =
                            from.recv().map_err(|_| Error::Bug("a thread that decodes pictures is gone".into()))?;
                        early.insert(at, picture);
                    };
                    take(wanted, picture)?;
                    let _ = give.send(()); // threads that are done want no ticket
                }
                Ok(())
            };
            let result = taken();
            drop(give);
            result
        })
    }
}

/// Rendered pictures, the last ones used.
#[derive(Debug)]
pub(super) struct Recent {
    room: usize,
    order: VecDeque<u32>,
    pictures: HashMap<u32, Arc<Vec<u8>>>,
}

impl Recent {
    pub(super) fn new(room: usize) -> Self {
        Self { room: room.max(1), order: VecDeque::new(), pictures: HashMap::new() }
    }

    pub(super) fn get(&mut self, id: u32) -> Option<Arc<Vec<u8>>> {
        let found = self.pictures.get(&id).cloned()?;
        self.order.retain(|other| *other != id);
        self.order.push_back(id);
        Some(found)
    }

    pub(super) fn put(&mut self, id: u32, picture: Arc<Vec<u8>>) {
        if self.pictures.len() >= self.room
            && let Some(oldest) = self.order.pop_front()
        {
            self.pictures.remove(&oldest);
        }
        self.order.push_back(id);
        self.pictures.insert(id, picture);
    }

    /// The ids of `wanted` that will not be there when they are asked for, in order: what has to be decoded.
    pub(super) fn misses(room: usize, wanted: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let (mut recent, none) = (Self::new(room), Arc::new(Vec::new()));
        let mut missed = Vec::new();
        for id in wanted {
            if recent.get(id).is_none() {
                missed.push(id);
                recent.put(id, Arc::clone(&none));
            }
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept() {
        assert_eq!(Recent::misses(2, [1, 2, 1, 3, 1, 2, 2, 3]), [1, 2, 3, 2, 3]);
        assert_eq!(Recent::misses(9, [5, 5, 6, 5]), [5, 6]);
        assert_eq!(Recent::misses(0, [5, 5, 6, 5]), [5, 6, 5]);
    }

    #[test]
    fn crops_are_rows_of_the_picture() {
        let rgba = (0..4 * 3 * 4).collect();
        let picture = Picture { size: Size::new(4, 3), source: Size::new(4, 3), rgba, compared: false };
        let part = cropped(picture, Rect { x: 1, y: 1, width: 2, height: 2 });
        assert_eq!(part.rgba, [20, 21, 22, 23, 24, 25, 26, 27, 36, 37, 38, 39, 40, 41, 42, 43]);
    }
}
