//! `fused/describe_image`: pictures of any size and format to rows of descriptors, in one recorded chain.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | [`GpuRows`] of f32 or f16, a row a picture: edge, texture and colour part, at the places of [`DescriptorLayout`] |
//! | parameters | [`DescribeParams`]: method, style, sizes, weights, aspect and size of comparison, what YUV codes mean |
//! | border | chroma samples and gradients: replicate; texture: reflect-101 |
//! | exactness | comparison pictures, edges and histograms are exact; rows within 2e-5 of the f64 reference (f16: that rounded) |
//! | determinism | the same bits on the same class of adapter |
//! | errors | `Parameter` for what [`DescriptorSpec::layout`] refuses, other pictures than planned, and sources of more than 32,768 samples a pixel |
//! | source | Canny 1986; Lazebnik, Schmid, Ponce 2006; Dalal, Triggs 2005; Johnson, Lindenstrauss 1984 |
//!
//! # Steps
//! 1. The largest centred box of the wanted aspect is cut out ([`Aspect::crop`](crate::core::Aspect::crop)) and becomes the comparison
//!    picture, each pixel of it the mean of what it covers. YUV is averaged plane by plane, in 8 bits, each chroma sample where it is sited, and only
//!    the small picture is converted: at most a few levels from converting first, for a third of the time. Crops smaller than the
//!    comparison picture are enlarged by the same rule, which repeats pixels; nothing is refused for being small.
//! 2. Grey of it; the edge part of the method; a histogram of gradient magnitudes; a histogram of hue, saturation and value.
//! 3. Parts are scaled and put into a row.
//!
//! # The default style
//! Each part has length 1 and is scaled by the root of its weight, the weights adding up to 1: the inner product of two rows is the
//! weighted sum of the cosines of their parts, and a picture has 1 with itself. A part that is all zero (a picture without edges) stays zero,
//! and the others are scaled up until the row has length 1 again: two equal flat pictures match perfectly, and a flat picture matches
//! one with edges by what is left of the weights.
//!
//! Histograms of edge maps have two live bins of many. Instead of them, `Canny` and `SpatialPyramid` count the edge pixels of each cell
//! by the orientation of their gradient, in 8 orientations that are centred on the horizontal, so that straight lines do not flicker
//! between two. A cell's counts hold its edge density as their sum. Sizes stay what users expect:
//!
//! | method | cells, reduced | numbers | cells, legacy | numbers |
//! |---|---|---|---|---|
//! | `Canny` | 4x4 | 128 | 8x4 (4x8 upright) | 256 |
//! | `SpatialPyramid` of g | 2g x 2g | 32 g^2 | 4g x 4g | 128 g^2 |
//!
//! # The parity style
//! The numbers of the system this stands in for: shares of edge pixels in the first and last of the bins (for a pyramid Canny in each cell by
//! itself), texture as shares, colour of length 1; each times its weight, the row of length 1. Sizes are the same.
//! Its documentation promised 2448 numbers for a legacy pyramid of 3, which is no sum of parts: it is 1728 here.
//!
//! # Projection on software adapters
//! `SpatialColor` multiplies 8192 counts with a matrix. As a matrix product that is slow on a software adapter, where
//! [`Projection::project_on_host`](crate::ops::tensor::random_projection::Projection::project_on_host) would be allowed. It is not needed
//! here: the kernel lists the bins that hold pixels, a few in a hundred, and adds up their columns. There is one path, on the device.

mod comparison;
mod parts;
mod rows;

use crate::core::{ColorSpec, DescriptorLayout, DescriptorMethod, DescriptorSpec, Exactness, FrameLayout, Work};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Recorder};
use crate::ops::edges::hysteresis::HysteresisStatus;
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, GpuRows, OpInfo, ParamDoc, Plan, Record, RowSample, RowsBound,
    RowsLayout, gpu_params, plan_error,
};
use comparison::{Comparison, ComparisonPlan};
use parts::PartsPlan;
use rows::RowsPlan;
use std::sync::Arc;

const NAME: &str = "fused/describe_image";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "pictures to rows of descriptors for matching: edges, texture, colour",
    input: "any format, mixed sizes",
    output: "rows of f32 or f16: edge part, texture part, colour part",
    params: &[
        ParamDoc {
            name: "method",
            range: "canny | spatial pyramid 2..=4 | hog | spatial colour | reserved",
            meaning: "how the edge part is made",
        },
        ParamDoc { name: "style", range: "default | parity", meaning: "unit parts by roots of weights, or as before" },
        ParamDoc { name: "sizes", range: "reduced | legacy", meaning: "128 / 32 / 216 numbers, or 256 / 64 / 512" },
        ParamDoc { name: "weights", range: "not negative", meaning: "of the edge, texture and colour part" },
        ParamDoc { name: "aspect", range: "w:h", meaning: "what pictures are cropped to" },
        ParamDoc { name: "longest", range: "8..=4096 pixels", meaning: "longer side of the pictures compared" },
        ParamDoc { name: "color", range: "matrix, range, siting", meaning: "how YUV turns to RGB" },
        ParamDoc { name: "sample", range: "f32 | f16", meaning: "type of the rows" },
    ],
    border: "chroma and gradients of edges replicate; gradients of texture reflect-101",
    exactness: Exactness::Abs(2e-5),
    reason: "hog within 1e-5; f32 sums in blocks, roots and quotients; the rest is exact",
    source: "Canny 1986; Lazebnik et al. 2006; Dalal, Triggs 2005; Johnson, Lindenstrauss 1984",
    entries: &["orient", "pack", "project", "assemble"],
    fields: Uniform::FIELDS,
    work,
};

/// For edges of 256x144 pixels.
fn work(layout: &FrameLayout) -> Work {
    let (n, small) = (layout.size.area(), 256 * 144);
    Work { bytes_read: layout.format.frame_bytes(layout.size), bytes_written: 376 * 4, ops: n * 6 + small * 150 }
}

gpu_params! {
    struct Uniform {
        edge: [u32; 4],
        texture: [u32; 4],
        color: [u32; 4],
        weight: [f32; 4],
        before: [f32; 4],
        begin: u32,
        end: u32,
        groups: u32,
        stride: u32,
        base: u32,
    }
}

impl Uniform {
    const NONE: Self = Self {
        edge: [0; 4],
        texture: [0; 4],
        color: [0; 4],
        weight: [0.0; 4],
        before: [0.0; 4],
        begin: 0,
        end: 0,
        groups: 0,
        stride: 0,
        base: 0,
    };
}

/// What descriptors are made of, and of what pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DescribeParams {
    /// Method, style, sizes, weights, aspect, size of comparison.
    pub spec: DescriptorSpec,
    /// What the codes of YUV pictures mean; packed RGB and grey do not need it.
    pub color: ColorSpec,
    /// Type of the rows.
    pub sample: RowSample,
}

impl DescribeParams {
    /// As [`DescriptorSpec::new`], BT.709, rows of f32.
    pub fn new(method: DescriptorMethod) -> Self {
        Self { spec: DescriptorSpec::new(method), color: ColorSpec::BT709, sample: RowSample::F32 }
    }
}

/// A planned `fused/describe_image`.
#[derive(Debug, Clone)]
pub struct DescribePlan {
    shape: BatchShape,
    comparison: ComparisonPlan,
    parts: PartsPlan,
    rows: RowsPlan,
}

/// A plan bound to pictures and rows.
#[derive(Debug, Clone)]
pub struct DescribeBound {
    comparison: ComparisonPlan,
    room: Comparison,
    small: Vec<FramesBound>,
    steps: Vec<Arc<dyn Record>>,
    status: Option<(HysteresisStatus, u32)>,
    rows: GpuRows,
    /// Pictures there is room for.
    limit: u32,
    /// Pictures that are bound.
    capacity: u32,
}

impl DescribePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    ///
    /// # Errors
    /// `Parameter`, see the table above.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: DescribeParams) -> Result<Self> {
        let shape = shape.into();
        let rows = RowsPlan::new(ctx, &params)?;
        let comparison = ComparisonPlan::new(ctx, &shape, params)?;
        let parts = PartsPlan::new(ctx, comparison.output()?, &params)?;
        Ok(Self { shape, comparison, parts, rows })
    }

    /// Where the parts lie in a row.
    pub fn layout(&self) -> &DescriptorLayout {
        &self.rows.layout
    }

    /// Layout of the rows.
    pub fn output(&self) -> &RowsLayout {
        &self.rows.rows
    }

    /// Binds the first `capacity` pictures of `src` to rows of its own, [`DescribeBound::rows`]. Room is made for `capacity` pictures even
    /// if `src` has fewer: [`DescribeBound::set_pictures`] can bind others later.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned and no capacity; the budget.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, capacity: u32) -> Result<DescribeBound> {
        check_capacity(capacity)?;
        let rows = GpuRows::new(ctx, NAME, self.rows.rows, capacity)?;
        self.bind_to_rows(ctx, src, capacity, &rows, 0)
    }

    /// As [`Self::bind`], to the rows of `dst` from `dst_first` on.
    ///
    /// # Errors
    /// As [`Self::bind`], and for rows of another layout or fewer than `capacity` of them.
    pub fn bind_to_rows(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        capacity: u32,
        dst: &GpuRows,
        dst_first: u32,
    ) -> Result<DescribeBound> {
        check_capacity(capacity)?;
        self.bind_from(ctx, (src, 0), capacity, (dst, dst_first))
    }

    /// As [`Self::bind`], of comparison pictures that the caller makes, by the rule of step 1: packed RGB of the size that
    /// [`DescriptorSpec::size`] says, to be in [`DescribeBound::pictures`] before what is recorded runs.
    ///
    /// # Errors
    /// `Parameter` for no capacity; the budget.
    pub fn bind_compared(&self, ctx: &GpuContext, capacity: u32) -> Result<DescribeBound> {
        check_capacity(capacity)?;
        let rows = GpuRows::new(ctx, NAME, self.rows.rows, capacity)?;
        let mut bound = self.bind_parts(ctx, capacity, (&rows, 0))?;
        bound.capacity = capacity;
        Ok(bound)
    }

    fn bind_from(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        capacity: u32,
        to: (&GpuRows, u32),
    ) -> Result<DescribeBound> {
        let mut bound = self.bind_parts(ctx, capacity, to)?;
        bound.set_pictures(ctx, src, first)?;
        Ok(bound)
    }

    /// All steps but the first.
    fn bind_parts(&self, ctx: &GpuContext, capacity: u32, (dst, dst_first): (&GpuRows, u32)) -> Result<DescribeBound> {
        let room = self.comparison.room(ctx, capacity)?;
        let mut parts = self.parts.bind(ctx, &room.rgb)?;
        let assembled = self.rows.bind(ctx, &parts, (dst, dst_first, capacity))?;
        parts.steps.push(Arc::new(assembled));
        Ok(DescribeBound {
            comparison: self.comparison.clone(),
            room,
            small: Vec::new(),
            steps: parts.steps,
            status: parts.status,
            rows: dst.clone(),
            limit: capacity,
            capacity: 0,
        })
    }

    /// Fills the reserved numbers of rows of `dst` from `dst_first` on with `features` from row `first` on: rows of f32 of the reserved
    /// length, as networks leave them. They get the length that their weight asks for; rows of zeros stay zero. Before or after the
    /// other parts: neither touches the other.
    ///
    /// # Errors
    /// `Parameter` for methods without reserved numbers and rows of other layouts.
    pub fn bind_features(
        &self,
        ctx: &GpuContext,
        features: &GpuRows,
        first: u32,
        dst: &GpuRows,
        dst_first: u32,
    ) -> Result<RowsBound> {
        Ok(RowsBound::new(self.rows.fill(ctx, (features, first), (dst, dst_first))?, dst, dst_first))
    }
}

impl Plan for DescribePlan {
    type Bound = DescribeBound;

    fn input(&self) -> BatchShape {
        self.shape
    }

    fn bind_to(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<DescribeBound> {
        let capacity = src.slots().saturating_sub(first);
        if capacity == 0 {
            return Err(plan_error(NAME, "first", format!("one of {} slots", src.slots()), first));
        }
        let rows = GpuRows::new(ctx, NAME, self.rows.rows, capacity)?;
        self.bind_from(ctx, (src, first), capacity, (&rows, 0))
    }
}

impl DescribeBound {
    /// Binds other pictures, of the planned shape, from slot `first` on: only the first step is bound anew.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned; the budget.
    pub fn set_pictures(&mut self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<()> {
        self.small = self.comparison.bind(ctx, (src, first), &self.room)?;
        self.capacity = src.slots().saturating_sub(first).min(self.limit);
        Ok(())
    }

    /// The rows; those of this binding begin where it was told to.
    pub fn rows(&self) -> &GpuRows {
        &self.rows
    }

    /// The comparison pictures of what was recorded last, packed RGB: for networks, and to look at.
    pub fn pictures(&self) -> &GpuFrames {
        &self.room.rgb
    }

    /// Records the first `count` bound pictures, as [`Record::record`].
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let count = count.min(self.capacity);
        self.small.iter().for_each(|step| step.record(rec, count));
        self.steps.iter().for_each(|step| step.record(rec, count));
    }

    /// Pictures that are bound.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Waits, and tells whether the edges of the first `count` pictures, which were recorded last, were followed to their ends; see
    /// [`HysteresisStatus`].
    ///
    /// # Errors
    /// Those of reading from the device.
    pub fn complete(&self, ctx: &GpuContext, count: u32) -> Result<bool> {
        match &self.status {
            Some((status, planes)) if count > 0 => status.first(count.min(self.capacity) * planes).complete(ctx),
            _ => Ok(true),
        }
    }
}

impl Record for DescribeBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

fn check_capacity(capacity: u32) -> Result<()> {
    match capacity {
        0 => Err(plan_error(NAME, "capacity", "at least 1", capacity)),
        _ => Ok(()),
    }
}

/// Describes all pictures of `src` at once: waits for the rows. Reserved numbers are zero. For scripts and tests; streams keep a bound plan.
pub fn describe_image(ctx: &GpuContext, src: &dyn FrameBatch, params: DescribeParams) -> Result<Vec<Vec<f32>>> {
    let plan = DescribePlan::new(ctx, BatchShape::of(src)?, params)?;
    let bound = plan.bind(ctx, src, src.slots())?;
    bound.rows.buffer().write(ctx, 0, &vec![0; bound.rows.buffer().size_bytes() as usize])?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, src.slots());
    rec.run()?;
    if !bound.complete(ctx, src.slots())? {
        return Err(Error::Bug(format!("{NAME}: edges were not followed to their ends")));
    }
    let values = bound.rows.read(ctx, src.slots())?;
    Ok(values.chunks_exact(plan.layout().dim().max(1) as usize).map(<[f32]>::to_vec).collect())
}
