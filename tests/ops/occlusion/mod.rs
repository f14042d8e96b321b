//! What the tests of in-place operations share.

mod edge_blur;
mod erase;
mod grid_mask;
mod hide_and_seek;
mod overlay;
mod paste_object;

use crate::results::{differ, run, same, tight};
use crate::table::{self, Trial};
use frameloom::Result;
use frameloom::core::{Covered, FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::{CoverBound, FrameBatch, GpuPictures};
use frameloom::reference::Plane;
use frameloom::reference::occlusion::Occluded;

pub const BOTH: [PixelFormat; 2] = [PixelFormat::Rgba8, PixelFormat::Gray8];

/// A picture with the padding of its slot.
pub fn plane<'a>(layout: &FrameLayout, bytes: &'a [u8]) -> Plane<'a> {
    let channels = if layout.format == PixelFormat::Rgba8 { 4 } else { 1 };
    Plane::interleaved(layout.size, channels, layout.first().stride as usize, bytes).unwrap()
}

/// The picture in a slot without padding.
pub fn read(ctx: &GpuContext, batch: &dyn FrameBatch, index: u32) -> Vec<u8> {
    let (offset, layout) = batch.slot(index).unwrap();
    let all = batch.buffer().read(ctx, offset + u64::from(layout.slot_bytes())).unwrap();
    tight(&layout, 0, &all[offset as usize..])
}

/// Copies of all pictures, covered.
type Op<'a, P> = dyn Fn(&dyn FrameBatch, &[P]) -> Result<(GpuPictures, Vec<Covered>)> + 'a;
/// Pictures from a slot on, bound.
type Bind<'a, P> = dyn Fn(&dyn FrameBatch, u32, &[P]) -> Result<CoverBound> + 'a;

/// An operation on copies of the pictures, and its reference.
pub struct InPlace<'a, P> {
    pub op: &'a Op<'a, P>,
    pub bind: &'a Bind<'a, P>,
    pub reference: &'a dyn Fn(&Plane<'_>, &P) -> Occluded,
    /// Parameters of picture `index` of a batch.
    pub param: &'a dyn Fn(usize, Size) -> P,
}

impl<P> InPlace<'_, P> {
    fn params(&self, trial: &Trial) -> Vec<P> {
        trial.pictures.iter().enumerate().map(|(i, (layout, _))| (self.param)(i, layout.size)).collect()
    }

    /// Pictures and areas as the reference says; alpha kept; no more pixels changed than are covered.
    pub fn check(&self, ctx: &GpuContext, trial: &Trial) {
        let params = self.params(trial);
        let (pictures, covered) = (self.op)(trial.batch.as_ref(), &params).unwrap();
        assert_eq!(covered.len(), trial.pictures.len(), "{}", trial.name);
        for (i, ((layout, bytes), p)) in trial.pictures.iter().zip(&params).enumerate() {
            let (want, area) = (self.reference)(&plane(layout, bytes), p);
            let got = read(ctx, &pictures, i as u32);
            same(&got, &want, format!("{} picture {i}", trial.name));
            assert_eq!(covered[i], area, "{} picture {i}", trial.name);
            let bytes_a_pixel = got.len() / layout.size.area() as usize;
            let before = tight(layout, 0, bytes);
            let pixels = before.chunks(bytes_a_pixel).zip(got.chunks(bytes_a_pixel));
            let changed = pixels.clone().filter(|(old, new)| old != new).count() as u64;
            assert!(changed <= area.pixels && area.pixels <= area.n && area.n == layout.size.area());
            assert!(bytes_a_pixel == 1 || pixels.clone().all(|(old, new)| old[3] == new[3]), "{} alpha", trial.name);
        }
    }

    /// The whole table.
    pub fn equals(&self, ctx: &GpuContext, formats: &[PixelFormat]) {
        table::each(ctx, formats, |trial| self.check(ctx, trial));
    }

    /// Binding from a later slot, recording fewer: the neighbours keep every byte, and counts start anew.
    pub fn slots(&self, ctx: &GpuContext, format: PixelFormat) {
        let trial = table::mixed(ctx, format, &[(37, 20), (50, 33), (17, 30)], 0);
        let params = self.params(&trial);
        let bound = (self.bind)(trial.batch.as_ref(), 1, &params[1..]).unwrap();
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 1));
        let want = |i: usize| (self.reference)(&plane(&trial.pictures[i].0, &trial.pictures[i].1), &params[i]);
        let got = |i: u32| read(ctx, trial.batch.as_ref(), i);
        let untouched = |i: usize| tight(&trial.pictures[i].0, 0, &trial.pictures[i].1);
        same(&got(0), &untouched(0), "before");
        same(&got(1), &want(1).0, "bound");
        same(&got(2), &untouched(2), "not recorded");
        assert!(want(1).1.pixels > 0 && want(1).1.pixels < want(1).1.n, "the parameters must cover a part");
        run(ctx, |rec| bound.record(rec, 99));
        let areas = bound.decode(&bound.results().read(ctx, 8).unwrap());
        assert_eq!(areas, [want(1).1, want(2).1]);
        same(&got(2), &want(2).0, "recorded later");
        same(&got(0), &untouched(0), "before, again");
        assert!((self.bind)(trial.batch.as_ref(), 3, &[]).is_err());
        crate::results::refused((self.bind)(trial.batch.as_ref(), 0, &params[1..]), "params");
    }

    /// Twenty times the same; a changed pixel, stale result or changed count is seen.
    pub fn deterministic(&self, ctx: &GpuContext, format: PixelFormat) {
        let trial = table::mixed(ctx, format, &[(61, 40), (33, 57)], 6);
        let params = self.params(&trial);
        let result = || {
            let (pictures, covered) = (self.op)(trial.batch.as_ref(), &params).unwrap();
            (read(ctx, &pictures, 0), read(ctx, &pictures, 1), covered)
        };
        table::deterministic(result);
        let (first, _, covered) = result();
        let (layout, bytes) = &trial.pictures[0];
        let (want, area) = (self.reference)(&plane(layout, bytes), &params[0]);
        assert!(differ(&first, &want).is_none() && covered[0] == area);
        assert!(differ(&first, &tight(layout, 0, bytes)).is_some(), "nothing was covered");
        for at in [0, want.len() / 2, want.len() - 1] {
            let mut sabotaged = want.clone();
            sabotaged[at] ^= 1;
            assert!(differ(&first, &sabotaged).is_some());
        }
        // The reference of a changed picture differs as well.
        let mut other = bytes.clone();
        other.iter_mut().for_each(|b| *b ^= 0x55);
        assert!(differ(&first, &(self.reference)(&plane(layout, &other), &params[0]).0).is_some());
    }
}
