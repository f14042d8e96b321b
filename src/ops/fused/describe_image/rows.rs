//! Rows made of parts.

use super::parts::{Kind, Part, Parts};
use super::{DescribeParams, NAME, Uniform};
use crate::core::{DescriptorLayout, DescriptorStyle};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{GpuRows, Passes, RowSample, RowsLayout, check_rows, plan_error};

/// Weighs parts and puts them into rows.
#[derive(Debug, Clone)]
pub(super) struct RowsPlan {
    /// By [`kind_number`].
    kernels: [Kernel; 3],
    pub(super) layout: DescriptorLayout,
    pub(super) rows: RowsLayout,
    style: DescriptorStyle,
    shares: [f64; 3],
}

fn kind_number(kind: Kind) -> usize {
    match kind {
        Kind::Counts => 0,
        Kind::Numbers => 1,
        Kind::Shares { .. } => 2,
    }
}

impl RowsPlan {
    pub(super) fn new(ctx: &GpuContext, params: &DescribeParams) -> Result<Self> {
        let layout = params.spec.layout()?;
        let rows = RowsLayout::new(params.sample, layout.dim())?;
        // One workgroup a picture. Eight lanes are one vector of the software adapter, where barriers cost next to nothing.
        let lanes = match ctx.caps().class {
            AdapterClass::Cpu => 8.0,
            AdapterClass::Gpu => 128.0,
        };
        let half = f64::from(u8::from(params.sample == RowSample::F16));
        let kernel = |kind: f64| Kernel::new(ctx, NAME, "assemble", &[("WG", lanes), ("HALF", half), ("KIND", kind)]);
        let kernels = [kernel(0.0)?, kernel(1.0)?, kernel(2.0)?];
        Ok(Self { kernels, layout, rows, style: params.spec.style, shares: params.spec.shares()? })
    }

    /// Rows of `dst` from `first` on, of the parts of up to `count` pictures; a reserved edge part is left alone.
    pub(super) fn bind(
        &self,
        ctx: &GpuContext,
        parts: &Parts,
        (dst, first, count): (&GpuRows, u32, u32),
    ) -> Result<Passes> {
        let DescriptorLayout { edge, texture, color, reserved } = &self.layout;
        let root = |share: f64| if self.style == DescriptorStyle::Default { share.sqrt() } else { share };
        let [e, t, c] = self.shares.map(root);
        // What a reserved part will fill belongs to the length of the row, too.
        let length = if *reserved { self.shares.iter().skip(1).sum::<f64>().sqrt() } else { 1.0 };
        let (edge_part, share) = shares_of(parts.edge.as_ref(), edge.len());
        let of = |part: &Option<Part>| part.as_ref().map_or((0, 0, 0.0), |p| (p.stride, p.skip, p.before));
        let ((ts, skip, tb), (cs, _, cb)) = (of(&parts.texture), of(&parts.color));
        let uniform = Uniform {
            edge: edge_part,
            texture: [texture.len() as u32, ts, skip, 0],
            color: [color.len() as u32, cs, 0, 0],
            weight: [e, t, c, length].map(|v| v as f32),
            before: [parts.edge.as_ref().map_or(0.0, |p| p.before), tb, cb, share].map(|v| v as f32),
            begin: if *reserved { edge.end / 4 } else { 0 },
            // Up to whole 16 bytes: what lies behind the last number is zero.
            end: (self.rows.dim * self.rows.sample.bytes()).next_multiple_of(16) / (4 * self.rows.sample.bytes()),
            ..self.place(first)
        };
        let kind = parts.edge.as_ref().map_or(Kind::Counts, |p| p.kind);
        self.record(ctx, (parts, kind), uniform, (dst, first, count))
    }

    /// Fills the reserved edge part of rows of `dst` from `first` on with `features` from row `from` on.
    pub(super) fn fill(
        &self,
        ctx: &GpuContext,
        (features, from): (&GpuRows, u32),
        (dst, first): (&GpuRows, u32),
    ) -> Result<Passes> {
        let len = self.layout.edge.end;
        if !self.layout.reserved {
            return Err(plan_error(NAME, "method", "one with reserved numbers", "an edge part of its own"));
        }
        check_rows(NAME, "features", &RowsLayout::new(RowSample::F32, len)?, features)?;
        let stride = features.layout().stride_bytes() / 4;
        let count = features.rows().saturating_sub(from).min(dst.rows().saturating_sub(first));
        let share = self.shares.first().copied().unwrap_or(0.0);
        let uniform = Uniform {
            edge: [len, stride, 0, from.saturating_mul(stride)],
            weight: [1.0, 0.0, 0.0, share.sqrt() as f32],
            end: len / 4,
            ..self.place(first)
        };
        let part = Part::new(features.buffer().clone(), stride, Kind::Numbers);
        let parts = Parts { edge: Some(part), ..Parts::default() };
        self.record(ctx, (&parts, Kind::Numbers), uniform, (dst, first, count))
    }

    fn place(&self, first: u32) -> Uniform {
        let stride = self.rows.stride_bytes() / 8;
        Uniform { stride, base: first.saturating_mul(stride), ..Uniform::NONE }
    }

    fn record(
        &self,
        ctx: &GpuContext,
        (parts, kind): (&Parts, Kind),
        uniform: Uniform,
        (dst, first, count): (&GpuRows, u32, u32),
    ) -> Result<Passes> {
        check_rows(NAME, "rows", &self.rows, dst)?;
        let limit = dst.rows().saturating_sub(first).min(ctx.caps().max_workgroups);
        if count == 0 || count > limit {
            return Err(plan_error(NAME, "rows", format!("1 to {limit} from row {first} on"), count));
        }
        let all = [&parts.edge, &parts.texture, &parts.color];
        // A part without numbers is never read: any buffer will do.
        let any = all.iter().find_map(|p| p.as_ref());
        let values = |part: &Option<Part>| part.as_ref().or(any).map_or(dst.buffer(), |p| &p.values).clone();
        let [edge, texture, color] = all.map(values);
        let kernel = self.kernels.get(kind_number(kind)).unwrap_or(&self.kernels[0]);
        let bind = kernel.bind(
            ctx,
            &[
                ("params", &uniform.upload(ctx, NAME)?),
                ("src_edge", &edge),
                ("src_texture", &texture),
                ("src_color", &color),
                ("dst", dst.buffer()),
            ],
        )?;
        Ok(Passes::new(count).run(kernel, bind, [1, 1]))
    }
}

/// `edge` of the kernel's parameters, and what a pixel of a cell counts.
fn shares_of(part: Option<&Part>, numbers: usize) -> ([u32; 4], f64) {
    let Some(part) = part else { return ([numbers as u32, 0, 0, 0], 0.0) };
    match part.kind {
        Kind::Shares { bins, pixels } => ([numbers as u32, part.stride, bins, 0], 1.0 / pixels as f64),
        _ => ([numbers as u32, part.stride, 0, 0], 0.0),
    }
}
