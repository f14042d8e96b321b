pub mod canny;
pub mod edge_density;
pub mod hysteresis;
pub mod laplacian;
pub mod scharr;
pub mod sobel;

use super::inputs::Input;
use super::mapping::{Mapping, tight};
use frameloom::core::{FrameLayout, PixelFormat, Work};
use frameloom::gpu::GpuContext;
use frameloom::ops::bench::{Bench, Case};
use frameloom::ops::edges::{StencilMapsPlan, StencilPicturesPlan};
use frameloom::ops::{BatchShape, FrameBatch, GpuMaps, Passes, Record};
use frameloom::reference::Plane;
use frameloom::{Error, Result};

/// A variant that writes pictures.
fn pictures(
    bench: &Bench<'_>,
    (variant, batch): (&str, u32),
    work: fn(&FrameLayout) -> Work,
    plan: fn(&GpuContext, BatchShape) -> Result<StencilPicturesPlan>,
    want: fn(&frameloom::reference::FrameSlot<'_>, &FrameLayout) -> Result<Vec<u8>>,
) -> Result<Case> {
    let ctx = bench.ctx();
    let mapping = Mapping {
        variant: variant.into(),
        format: PixelFormat::Nv12,
        batch,
        output: &|input| Ok(*plan(ctx, input.into())?.output()),
        work: &|input| work(input),
        bind: &|src, dst, first| {
            let bound = plan(ctx, src.layout().into())?.bind(ctx, (src, first), (dst, first))?;
            Ok(Box::new(move |rec| bound.record(rec, batch)))
        },
        want,
    };
    mapping.case(bench)
}

/// A variant that writes `N` maps; `want` makes the words of the numbers of each.
fn maps<const N: usize>(
    bench: &Bench<'_>,
    (variant, batch): (&str, u32),
    plan: fn(&GpuContext, BatchShape) -> Result<StencilMapsPlan<N>>,
    want: fn(&Plane<'_>) -> Result<[Vec<u16>; N]>,
) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 0)?;
    let plan = plan(ctx, (&input.layout).into())?;
    let made = (0..N).map(|_| GpuMaps::new(ctx, "bench", *plan.maps(), batch)).collect::<Result<Vec<_>>>()?;
    let dst: [GpuMaps; N] = made.try_into().map_err(|_| Error::Bug("as many maps as asked for".into()))?;
    let mut sets: Vec<Passes> = Vec::new();
    for i in 0..input.sets {
        let src = (&input.frames as &dyn FrameBatch, i * batch);
        sets.push(plan.bind(ctx, src, dst.each_ref(), 0)?);
    }
    let n = input.layout.size.area();
    Ok(Case {
        variant: variant.into(),
        content: "natural".into(),
        input: input.name(),
        batch,
        work: Work { bytes_read: n, bytes_written: n * 2 * N as u64, ops: n * 14 },
        record: Box::new(move |rec, i| {
            if let Some(set) = sets.get(i % sets.len()) {
                set.record(rec, batch);
            }
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            let luma = input.luma(0)?;
            let want = want(&Plane::tight(input.layout.size, &luma)?)?;
            for (maps, want) in dst.iter().zip(&want) {
                if maps.read_as::<u16>(ctx, 0)? != *want {
                    return Ok(false);
                }
            }
            Ok(true)
        }),
    })
}

/// Signed numbers as they lie in memory.
fn bits(values: Vec<i16>) -> Vec<u16> {
    values.into_iter().map(i16::cast_unsigned).collect()
}
