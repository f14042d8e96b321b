//! The parts of a descriptor, before they are put into a row.

use super::{DescribeParams, NAME, Uniform};
use crate::core::{
    ChromaUpsampling, DescriptorMethod, DescriptorSpec, DescriptorStyle, EdgeCells, FrameLayout, HogParams,
    PixelFormat, Size, projection_matrix,
};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::color::gray_from_rgb::GrayFromRgbPlan;
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::edges::canny::{CannyBound, CannyParams, CannyPlan};
use crate::ops::edges::hysteresis::HysteresisStatus;
use crate::ops::histogram::edge_grid::{CellEdgesPlan, EdgeGridPlan};
use crate::ops::histogram::gradient_texture::GradientTexturePlan;
use crate::ops::histogram::hsv3d::{HsvBins, HsvHistogramPlan};
use crate::ops::histogram::rgb_grid::RgbGridPlan;
use crate::ops::hog::hog::HogPlan;
use crate::ops::{BatchShape, GpuFrames, Passes, PictureTable, Record, grid};
use std::sync::Arc;

/// Bins of a cell of colours.
const COLORS: u32 = 512;

/// Where a part lies on the device, and what its numbers are.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) values: GpuBuffer,
    /// Words from picture to picture.
    pub(super) stride: u32,
    /// Words before the first number of a picture.
    pub(super) skip: u32,
    pub(super) kind: Kind,
    /// Factor before the weight; 0 for one over the part's length.
    pub(super) before: f64,
}

/// What the words of a part are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Counts,
    Numbers,
    /// Edge pixels of cells with a number of pixels; histograms have `bins` a cell.
    Shares {
        bins: u32,
        pixels: u64,
    },
}

/// Steps in order, and what they leave.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) steps: Vec<Arc<dyn Record>>,
    pub(super) edge: Option<Part>,
    pub(super) texture: Option<Part>,
    pub(super) color: Option<Part>,
    /// Of the edges, and how many of its planes a picture has.
    pub(super) status: Option<(HysteresisStatus, u32)>,
}

/// A planned edge part.
#[allow(clippy::large_enum_variant, reason = "there is one in a plan")]
#[derive(Debug, Clone)]
enum Edge {
    Orientations { canny: CannyPlan, kernel: Kernel, cells: Size, groups: [u32; 2] },
    Whole { canny: CannyPlan, counter: EdgeGridPlan, bins: u32, pixels: u64 },
    Cells { plan: CellEdgesPlan, bins: u32, pixels: u64 },
    Hog(HogPlan),
    Projected { cells: RgbGridPlan, kernels: [Kernel; 2], groups: [[u32; 2]; 2], matrix: GpuBuffer, pixels: u64 },
    Reserved,
}

/// All planned parts.
#[derive(Debug, Clone)]
pub(super) struct PartsPlan {
    gray: GrayFromRgbPlan,
    edge: Edge,
    /// Texture and colour.
    others: Option<(GradientTexturePlan, HsvHistogramPlan)>,
    spec: DescriptorSpec,
    rgb: FrameLayout,
}

impl PartsPlan {
    /// For small pictures like `rgb`.
    pub(super) fn new(ctx: &GpuContext, rgb: FrameLayout, params: &DescribeParams) -> Result<Self> {
        let spec = params.spec;
        let (gray, shape) = (GrayFromRgbPlan::new(ctx, &rgb)?, BatchShape::from(&rgb));
        let gray_shape = shape.with_format(PixelFormat::Gray8)?;
        let meaning = RgbParams { color: params.color, upsampling: ChromaUpsampling::Nearest };
        let edge = match spec.method {
            DescriptorMethod::SpatialColor { seed } => projected(ctx, rgb.size, &shape, meaning, seed)?,
            DescriptorMethod::Hog => Edge::Hog(HogPlan::new(ctx, gray_shape, hog_params())?),
            DescriptorMethod::Reserved { .. } => Edge::Reserved,
            DescriptorMethod::Canny | DescriptorMethod::SpatialPyramid { .. } => edges(ctx, gray_shape, &spec)?,
        };
        let side = spec.sizes.color_side();
        let bins = HsvBins { hue: side, saturation: side, value: side };
        let others = if matches!(spec.method, DescriptorMethod::SpatialColor { .. }) {
            None
        } else {
            let texture = GradientTexturePlan::new(ctx, gray_shape, spec.sizes.texture())?;
            Some((texture, HsvHistogramPlan::new(ctx, shape, bins, meaning)?))
        };
        Ok(Self { gray, edge, others, spec, rgb })
    }

    /// Binds small pictures.
    pub(super) fn bind(&self, ctx: &GpuContext, rgb: &GpuFrames) -> Result<Parts> {
        let mut parts = Parts::default();
        let (parity, pixels) = (self.spec.style == DescriptorStyle::Parity, self.rgb.size.area());
        if let Edge::Projected { cells, kernels, groups, matrix, pixels } = &self.edge {
            let counts = cells.bind(ctx, rgb, 0)?;
            let (passes, values) = project(ctx, counts.results(), rgb.slots(), (kernels, groups, matrix), *pixels)?;
            parts.steps = vec![Arc::new(counts), Arc::new(passes)];
            parts.edge = Some(Part::new(values, DescriptorSpec::PROJECTED, Kind::Numbers));
            return Ok(parts);
        }
        let gray = GpuFrames::new(ctx, NAME, PixelFormat::Gray8, self.rgb.size, rgb.slots())?;
        parts.steps.push(Arc::new(self.gray.bind(ctx, rgb, 0, &gray, 0)?));
        self.bind_edge(ctx, &gray, &mut parts)?;
        if let Some((texture, color)) = &self.others {
            let (words, bins) = ((texture.result_bytes() / 4) as u32, (color.result_bytes() / 4) as u32);
            let (texture, color) = (texture.bind(ctx, &gray, 0)?, color.bind(ctx, rgb, 0)?);
            // The first word is the peak.
            let before = if parity { 1.0 / pixels as f64 } else { 0.0 };
            let part = Part::new(texture.results().clone(), words, Kind::Counts);
            parts.texture = Some(Part { skip: 1, before, ..part });
            parts.color = Some(Part::new(color.results().clone(), bins, Kind::Counts));
            parts.steps.extend::<[Arc<dyn Record>; 2]>([Arc::new(texture), Arc::new(color)]);
        }
        if let Some(edge) = parts.edge.as_mut().filter(|_| parity) {
            edge.before = 1.0;
        }
        Ok(parts)
    }

    fn bind_edge(&self, ctx: &GpuContext, gray: &GpuFrames, parts: &mut Parts) -> Result<()> {
        match &self.edge {
            Edge::Orientations { canny, kernel, cells, groups } => {
                let canny = canny.bind_bits(ctx, gray, 0)?;
                let (passes, counts) = orient(ctx, (gray, &canny), (kernel, *cells, *groups))?;
                parts.edge = Some(Part::new(counts, 8 * cells.width * cells.height, Kind::Counts));
                parts.status = Some((canny.status().clone(), 1));
                parts.steps.extend::<[Arc<dyn Record>; 2]>([Arc::new(canny), Arc::new(passes)]);
            }
            Edge::Whole { canny, counter, bins, pixels } => {
                let canny = canny.bind_bits(ctx, gray, 0)?;
                let counts = counter.bind(ctx, canny.edges())?;
                let kind = Kind::Shares { bins: *bins, pixels: *pixels };
                parts.edge = Some(Part::new(counts.results().clone(), 1, kind));
                parts.status = Some((canny.status().clone(), 1));
                parts.steps.extend::<[Arc<dyn Record>; 2]>([Arc::new(canny), Arc::new(counts)]);
            }
            Edge::Cells { plan, bins, pixels } => {
                let (counts, status) = plan.bind(ctx, gray, 0)?;
                let kind = Kind::Shares { bins: *bins, pixels: *pixels };
                parts.edge = Some(Part::new(counts.results().clone(), (plan.result_bytes() / 4) as u32, kind));
                parts.status = Some((status, (plan.result_bytes() / 4) as u32));
                parts.steps.push(Arc::new(counts));
            }
            Edge::Hog(plan) => {
                let hog = plan.bind(ctx, gray, 0)?;
                parts.edge = Some(Part::new(hog.results().clone(), plan.dim(), Kind::Numbers));
                parts.steps.push(Arc::new(hog));
            }
            // `bind` has done the one; the other is somebody else's.
            Edge::Projected { .. } | Edge::Reserved => {}
        }
        Ok(())
    }
}

impl Part {
    pub(super) fn new(values: GpuBuffer, stride: u32, kind: Kind) -> Self {
        Self { values, stride, skip: 0, kind, before: 0.0 }
    }
}

fn hog_params() -> HogParams {
    HogParams::square(DescriptorSpec::HOG_CELL)
}

fn workgroup(ctx: &GpuContext) -> u32 {
    match ctx.caps().class {
        AdapterClass::Cpu => 8,
        AdapterClass::Gpu => 64,
    }
}

/// The edge part of a method with Canny.
fn edges(ctx: &GpuContext, gray: BatchShape, spec: &DescriptorSpec) -> Result<Edge> {
    let size = gray.largest().size;
    let canny = CannyParams::default();
    match (spec.style, spec.method, spec.orientation_cells()) {
        (DescriptorStyle::Parity, DescriptorMethod::SpatialPyramid { grid: side }, _) => {
            let cell = EdgeCells::cell_of(size, side).unwrap_or(size);
            let plan = CellEdgesPlan::new(ctx, gray, side, canny)?;
            Ok(Edge::Cells { plan, bins: spec.layout()?.edge.end / (side * side), pixels: cell.area() })
        }
        (DescriptorStyle::Default, _, Some(cells)) => {
            let wg = workgroup(ctx);
            let rows = 8u32;
            let kernel = Kernel::new(ctx, NAME, "orient", &[("WG", f64::from(wg)), ("ROWS", f64::from(rows))])?;
            let strips = (size.height / cells.height).div_ceil(rows);
            let groups = grid(ctx, NAME, cells.area() * u64::from(strips), wg)?;
            Ok(Edge::Orientations { canny: CannyPlan::new(ctx, gray, canny)?, kernel, cells, groups })
        }
        _ => {
            let bins = spec.layout()?.edge.end;
            let (canny, counter) = (CannyPlan::new(ctx, gray, canny)?, EdgeGridPlan::new(ctx, gray, 1)?);
            Ok(Edge::Whole { canny, counter, bins, pixels: size.area() })
        }
    }
}

/// Counts the orientations of edges.
fn orient(
    ctx: &GpuContext,
    (gray, canny): (&GpuFrames, &CannyBound),
    (kernel, cells, groups): (&Kernel, Size, [u32; 2]),
) -> Result<(Passes, GpuBuffer)> {
    let bytes = 8 * 4 * cells.area();
    let counts = GpuBuffer::new(ctx, NAME, bytes * u64::from(gray.slots()), BufferUse::Storage)?;
    let pictures = PictureTable::new(ctx, NAME, "input", &BatchShape::from(gray.layout()), (gray, 0))?;
    let params = Uniform { edge: [cells.width, cells.height, 0, 0], ..Uniform::NONE }.upload(ctx, NAME)?;
    let bind = kernel.bind(
        ctx,
        &[
            ("params", &params),
            ("src_bits", canny.edges().buffer()),
            ("src_words", gray.buffer()),
            ("src_pictures", pictures.buffer()),
            ("src_planes", &canny.edges().table(ctx, NAME)?),
            ("dst_counts", &counts),
        ],
    )?;
    Ok((Passes::new(gray.slots()).clear(&counts, bytes).run(kernel, bind, groups), counts))
}

/// Colours of cells, and the matrix that projects them, turned so that all outputs of a bin lie together.
fn projected(ctx: &GpuContext, size: Size, shape: &BatchShape, rgb: RgbParams, seed: u32) -> Result<Edge> {
    let (side, outputs) = (DescriptorSpec::COLOR_GRID, DescriptorSpec::PROJECTED);
    let inputs = side * side * COLORS;
    let rows = projection_matrix(seed, outputs, inputs);
    let column = |i: usize| rows.chunks_exact(inputs as usize).filter_map(move |row| row.get(i));
    let bytes: Vec<u8> = (0..inputs as usize).flat_map(column).flat_map(|v| v.to_le_bytes()).collect();
    let wg = workgroup(ctx);
    let kernel = |entry| Kernel::new(ctx, NAME, entry, &[("WG", f64::from(wg))]);
    Ok(Edge::Projected {
        cells: RgbGridPlan::new(ctx, *shape, side, rgb)?,
        kernels: [kernel("pack")?, kernel("project")?],
        groups: [grid(ctx, NAME, u64::from(side * side), wg)?, grid(ctx, NAME, u64::from(outputs / 16), wg)?],
        matrix: GpuBuffer::with_data(ctx, NAME, &bytes)?,
        pixels: EdgeCells::cell_of(size, side).unwrap_or(size).area(),
    })
}

/// Projects the counts of pictures to [`DescriptorSpec::PROJECTED`] numbers each.
fn project(
    ctx: &GpuContext,
    counts: &GpuBuffer,
    pictures: u32,
    ([pack, project], groups, matrix): (&[Kernel; 2], &[[u32; 2]; 2], &GpuBuffer),
    pixels: u64,
) -> Result<(Passes, GpuBuffer)> {
    let cells = u64::from(DescriptorSpec::COLOR_GRID.pow(2) * pictures);
    let room = |words: u64| GpuBuffer::new(ctx, NAME, 4 * words, BufferUse::Storage);
    let (list, sizes) = (room(cells * u64::from(COLORS))?, room(cells)?);
    let values = room(u64::from(DescriptorSpec::PROJECTED * pictures))?;
    let before = [0.0, 0.0, 0.0, (1.0 / pixels as f64) as f32];
    let params = Uniform { before, groups: DescriptorSpec::PROJECTED / 4, ..Uniform::NONE }.upload(ctx, NAME)?;
    let packing = pack.bind(ctx, &[("src_cells", counts), ("dst_list", &list), ("dst_sizes", &sizes)])?;
    let projecting = project.bind(
        ctx,
        &[
            ("params", &params),
            ("src_list", &list),
            ("src_sizes", &sizes),
            ("src_matrix", matrix),
            ("dst_values", &values),
        ],
    )?;
    let [pack_groups, project_groups] = *groups;
    Ok((Passes::new(pictures).run(pack, packing, pack_groups).run(project, projecting, project_groups), values))
}
