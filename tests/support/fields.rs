//! Scalar fields for tests: maps of integers and floats, and luma, of all shapes.

use super::pictures::{FULL_HD, SHAPES, poison_pool};
use super::table;
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::{Field, FrameBatch, GpuMaps, MapLayout, MapSample};
use frameloom::reference::pattern::splitmix64;
use frameloom::reference::{self, Numbers};

/// Numbers of one field.
#[derive(Debug, Clone)]
pub enum Data {
    Integers(Vec<u32>),
    Floats(Vec<f32>),
}

/// Fields on the device, and their numbers on the host.
#[derive(Debug)]
pub struct FieldTrial {
    pub name: String,
    source: Source,
    pub fields: Vec<(Size, Data)>,
}

#[derive(Debug)]
enum Source {
    Maps(GpuMaps),
    Pictures(Box<dyn FrameBatch>),
}

impl FieldTrial {
    pub fn source(&self) -> Field<'_> {
        match &self.source {
            Source::Maps(maps) => maps.into(),
            Source::Pictures(batch) => batch.as_ref().into(),
        }
    }

    /// The fields, for the reference.
    pub fn references(&self) -> impl Iterator<Item = reference::Field<'_>> {
        self.fields.iter().map(|(size, data)| field(*size, data))
    }
}

/// The field of some numbers.
pub fn field(size: Size, data: &Data) -> reference::Field<'_> {
    let numbers = match data {
        Data::Integers(v) => Numbers::Integers(v),
        Data::Floats(v) => Numbers::Floats(v),
    };
    reference::Field::new(size, numbers).unwrap()
}

/// Numbers 0..1, different for each seed and place.
pub fn uniform(seed: u64, i: usize) -> f64 {
    (splitmix64(splitmix64(seed) ^ i as u64) >> 11) as f64 / (1u64 << 53) as f64
}

/// Integers of one of four kinds: of all sizes, small, all equal and largest, one alone.
pub fn integers(seed: u64, n: usize) -> Vec<u32> {
    let value = |i: usize| match seed % 4 {
        0 => (uniform(seed, i) * 4_294_967_296.0) as u32,
        1 => (uniform(seed, i) * 300.0) as u32,
        2 => u32::MAX,
        _ => u32::from(i == n / 2),
    };
    (0..n).map(value).collect()
}

/// Floats of one of five kinds: 0..1, nothing, all equal, of all magnitudes with some that count as 0, one alone.
pub fn floats(seed: u64, n: usize) -> Vec<f32> {
    let value = |i: usize| match seed % 5 {
        0 => uniform(seed, i) as f32,
        1 => 0.0,
        2 => 0.3,
        3 => match i % 7 {
            0 => -1.5,
            1 => f32::NAN,
            2 => 1e-33,
            3 => f32::INFINITY,
            _ => (uniform(seed, i) * 30.0 - 20.0).exp2() as f32,
        },
        _ => f32::from(u8::from(i == n / 2)) * 0.625,
    };
    (0..n).map(value).collect()
}

/// Maps on the device.
pub fn upload_maps(ctx: &GpuContext, size: Size, maps: &[Data]) -> GpuMaps {
    let sample = if matches!(maps[0], Data::Floats(_)) { MapSample::F32 } else { MapSample::U32 };
    let bytes: Vec<Vec<u8>> = maps
        .iter()
        .map(|data| match data {
            Data::Integers(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Data::Floats(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
        })
        .collect();
    let refs: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    GpuMaps::from_host(ctx, "test", MapLayout::new(sample, size).unwrap(), &refs).unwrap()
}

/// Maps that are poisoned.
pub fn poisoned_maps(ctx: &GpuContext, layout: &MapLayout, slots: u32) -> GpuMaps {
    let maps = GpuMaps::new(ctx, "test result", *layout, slots).unwrap();
    super::pictures::poison(ctx, maps.buffer());
    maps
}

/// Maps of one kind, `count` of them.
pub fn maps(ctx: &GpuContext, (width, height): (u32, u32), float: bool, seed: u64, count: u64) -> FieldTrial {
    let size = Size::new(width, height);
    let n = size.area() as usize;
    let make = |s| if float { Data::Floats(floats(s, n)) } else { Data::Integers(integers(s, n)) };
    let data: Vec<Data> = (seed..seed + count).map(make).collect();
    let source = Source::Maps(upload_maps(ctx, size, &data));
    let name = format!("{} {size} x{count} from {seed}", if float { "f32" } else { "u32" });
    FieldTrial { name, source, fields: data.into_iter().map(|d| (size, d)).collect() }
}

/// The luma of pictures.
pub fn pictures(trial: table::Trial) -> FieldTrial {
    let wide = |(size, luma): (Size, Vec<u8>)| (size, Data::Integers(luma.into_iter().map(u32::from).collect()));
    FieldTrial {
        name: trial.name.clone(),
        fields: trial.lumas().map(wide).collect(),
        source: Source::Pictures(trial.batch),
    }
}

/// Maps of integers and floats and 8-bit luma for all shapes, in batches of 1, 2 and 5, every kind of numbers; one of each kind at
/// 1920x1080. What the pool hands out next is poisoned.
pub fn each_uniform(ctx: &GpuContext, mut visit: impl FnMut(&FieldTrial)) {
    for (s, shape) in SHAPES.into_iter().enumerate() {
        for float in [false, true] {
            poison_pool(ctx, 1 << 14);
            visit(&maps(ctx, shape, float, s as u64, [1, 2, 5][s % 3]));
        }
        let layout = super::pictures::layout([PixelFormat::Gray8, PixelFormat::Nv12][s % 2], shape);
        visit(&pictures(table::uniform(ctx, layout, s * 3, [1, 2, 5][s % 3])));
    }
    visit(&maps(ctx, FULL_HD, false, 0, 1));
    visit(&maps(ctx, FULL_HD, true, 5, 1));
}

/// As [`each_uniform`], and pictures of all shapes in one batch.
pub fn each(ctx: &GpuContext, mut visit: impl FnMut(&FieldTrial)) {
    each_uniform(ctx, &mut visit);
    visit(&pictures(table::mixed(ctx, PixelFormat::Gray8, &SHAPES, 1)));
}
