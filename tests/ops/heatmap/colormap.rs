use crate::fields::{self, Data, FieldTrial};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run, tight};
use crate::table;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::heatmap::colormap::{ColormapPlan, colormap};
use frameloom::ops::{FrameBatch, GpuPictures, MapLayout, MapSample};
use frameloom::reference::Pattern;
use frameloom::reference::heatmap::colormap::{colormap as reference, level, overlay};

fn levels(data: &Data) -> Vec<u8> {
    match data {
        Data::Integers(v) => v.iter().map(|v| u8::try_from(*v).unwrap()).collect(),
        Data::Floats(v) => v.iter().map(|v| level(*v)).collect(),
    }
}

/// Pictures of the sizes of a trial, and their packed pixels.
fn under(ctx: &GpuContext, trial: &FieldTrial) -> (GpuPictures, Vec<Vec<u32>>) {
    let slots: Vec<(Size, Vec<u8>)> = (0..)
        .zip(&trial.fields)
        .map(|(seed, (size, _))| {
            (*size, Pattern::Random { seed }.frame(&layout(PixelFormat::Rgba8, (size.width, size.height))))
        })
        .collect();
    let refs: Vec<(Size, &[u8])> = slots.iter().map(|(size, bytes)| (*size, bytes.as_slice())).collect();
    let pictures = GpuPictures::from_host(ctx, "under", PixelFormat::Rgba8, &refs).unwrap();
    let words = |(i, (_, bytes)): (u32, &(Size, Vec<u8>))| packed(&tight(&pictures.slot(i).unwrap().1, 0, bytes));
    let pixels = (0..).zip(&slots).map(words).collect();
    (pictures, pixels)
}

fn packed(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).collect()
}

fn check(ctx: &GpuContext, trial: &FieldTrial, palette: Palette) {
    let plan = ColormapPlan::new(ctx, trial.source().shape().unwrap(), palette).unwrap();
    let sizes: Vec<Size> = trial.fields.iter().map(|f| f.0).collect();
    let dst = GpuPictures::new(ctx, "test result", PixelFormat::Rgba8, &sizes).unwrap();
    let (pictures, pixels) = under(ctx, trial);
    for alpha in [None, Some(0), Some(97), Some(255)] {
        poison(ctx, FrameBatch::buffer(&dst));
        let below = alpha.map(|a| (&pictures as &dyn FrameBatch, 0, a));
        let bound = plan.bind(ctx, trial.source(), 0, below, &dst, 0).unwrap();
        run(ctx, |rec| bound.record(rec, dst.slots()));
        for (i, ((_, data), pixels)) in (0..).zip(trial.fields.iter().zip(&pixels)) {
            let got = packed(&tight(&dst.slot(i).unwrap().1, 0, &dst.read_slot(ctx, i).unwrap()));
            let colors = reference(&levels(data), palette);
            let want = alpha.map_or(colors.clone(), |a| overlay(&colors, pixels, a));
            assert!(got == want, "{} {} picture {i} alpha {alpha:?}", trial.name, palette.name());
        }
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("heatmap/colormap equals the reference", |ctx| {
        for (s, shape) in SHAPES.into_iter().enumerate() {
            let palette = Palette::ALL[s % 3];
            check(ctx, &fields::maps(ctx, shape, true, s as u64, [1, 2, 5][s % 3]), palette);
            let layout = layout([PixelFormat::Nv12, PixelFormat::Gray8][s % 2], shape);
            check(ctx, &fields::pictures(table::uniform(ctx, layout, s * 3, [1, 2, 5][s % 3])), palette);
        }
        check(ctx, &fields::pictures(table::mixed(ctx, PixelFormat::Gray8, &SHAPES, 0)), Palette::Jet);
        check(ctx, &fields::maps(ctx, FULL_HD, true, 0, 1), Palette::Viridis);
    });
}

/// Every level of every palette, and every f32 at which the level changes.
#[test]
fn all_levels_and_their_borders() {
    on_every_adapter("heatmap/colormap levels", |ctx| {
        let borders = (0..=255u32).flat_map(|i| {
            let v = i as f32 / 255.0;
            [f32::from_bits(v.to_bits().saturating_sub(1)), v, f32::from_bits(v.to_bits() + 1)]
        });
        let values: Vec<f32> = borders.chain([-1.0, 2.0, f32::NAN, f32::INFINITY, -0.0]).collect();
        let size = Size::new(values.len() as u32, 1);
        let src = fields::upload_maps(ctx, size, &[Data::Floats(values.clone())]);
        for palette in Palette::ALL {
            let got = colormap(ctx, &src, palette).unwrap();
            let got = packed(&tight(got.layout(), 0, &got.read_slot(ctx, 0).unwrap()));
            assert_eq!(got, reference(&values.iter().map(|v| level(*v)).collect::<Vec<u8>>(), palette));
            let seen: std::collections::BTreeSet<u32> = got.iter().copied().collect();
            let all: std::collections::BTreeSet<u32> = palette.table().into_iter().collect();
            assert_eq!(seen, all);
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("heatmap/colormap is deterministic", |ctx| {
        let trial = fields::maps(ctx, (123, 66), true, 0, 1);
        table::deterministic(|| colormap(ctx, trial.source(), Palette::Inferno).unwrap().read_slot(ctx, 0).unwrap());
    });
}

#[test]
fn binds_from_later_slots() {
    on_every_adapter("heatmap/colormap slots", |ctx| {
        let trial = fields::maps(ctx, (21, 5), true, 0, 3);
        let plan = ColormapPlan::new(ctx, trial.source().shape().unwrap(), Palette::Jet).unwrap();
        let (pictures, pixels) = under(ctx, &trial);
        let dst = crate::results::poisoned(ctx, plan.output(), 3);
        let bound = plan.bind(ctx, trial.source(), 1, Some((&pictures, 2, 100)), &dst, 1).unwrap();
        assert_eq!(bound.capacity(), 1);
        run(ctx, |rec| bound.record(rec, 3));
        let got = packed(&tight(plan.output(), 0, &dst.read_slot(ctx, 1).unwrap()));
        assert_eq!(got, overlay(&reference(&levels(&trial.fields[1].1), Palette::Jet), &pixels[2], 100));
        crate::results::untouched(ctx, &dst, 0);
        crate::results::untouched(ctx, &dst, 2);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("heatmap/colormap refuses", |ctx| {
        let map = |sample, width| MapLayout::new(sample, Size::new(width, 4)).unwrap();
        for sample in [MapSample::U32, MapSample::Bit] {
            refused(ColormapPlan::new(ctx, &map(sample, 4), Palette::Jet), "input");
        }
        refused(ColormapPlan::new(ctx, &map(MapSample::F32, 32_769), Palette::Jet), "input");
        refused(ColormapPlan::new(ctx, &layout(PixelFormat::Rgba8, (4, 4)), Palette::Jet), "input");
        let plan = ColormapPlan::new(ctx, &map(MapSample::F32, 4), Palette::Jet).unwrap();
        let src = fields::poisoned_maps(ctx, &map(MapSample::F32, 4), 1);
        let rgba = |width| crate::results::poisoned(ctx, &layout(PixelFormat::Rgba8, (width, 4)), 1);
        let (dst, other) = (rgba(4), rgba(5));
        refused(plan.bind(ctx, &src, 0, None, &other, 0), "output");
        refused(plan.bind(ctx, &src, 0, Some((&other, 0, 9)), &dst, 0), "under");
        refused(plan.bind(ctx, &src, 0, Some((&dst, 0, 9)), &dst, 0), "output");
        refused(plan.bind(ctx, &src, 1, None, &dst, 0), "first");
        let gray = crate::results::poisoned(ctx, &layout(PixelFormat::Gray8, (4, 4)), 1);
        refused(plan.bind(ctx, &src, 0, None, &gray, 0), "output");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("heatmap/colormap negative control", |ctx| {
        let trial = fields::maps(ctx, (33, 9), true, 0, 1);
        let got = colormap(ctx, trial.source(), Palette::Jet).unwrap();
        let got = packed(&tight(got.layout(), 0, &got.read_slot(ctx, 0).unwrap()));
        let want = reference(&levels(&trial.fields[0].1), Palette::Jet);
        assert_eq!(got, want);
        let swapped: Vec<u32> = want.iter().map(|w| (w << 8).swap_bytes() | 0xff00_0000).collect();
        assert_ne!(got, swapped);
        assert_ne!(got, reference(&levels(&trial.fields[0].1), Palette::Viridis));
    });
}
