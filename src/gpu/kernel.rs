//! WGSL texts and compiled kernels. Bindings are found by their names in the text, never counted by hand.

use super::buffer::GpuBuffer;
use super::context::GpuContext;
use super::kernel_cache::KernelKey;
use super::reflect::{EntryInfo, reflect};
use crate::error::{Error, GpuError, Result};

/// A complete WGSL text, imports resolved at build time.
#[derive(Debug, Clone, Copy)]
pub struct KernelSource {
    /// `<family>/<op>`.
    pub name: &'static str,
    /// WGSL.
    pub text: &'static str,
    /// Where lines come from: (first line of a run in `text`, file under `kernels/`, its line in that file).
    pub map: &'static [(usize, &'static str, usize)],
}

static SOURCES: &[KernelSource] = include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

impl KernelSource {
    /// File and line that line `line` (from 1) of the complete text comes from.
    pub fn locate(&self, line: usize) -> String {
        self.map
            .iter()
            .rev()
            .find(|(first, _, _)| *first <= line)
            .map(|(first, file, start)| format!("kernels/{file}:{}", start + line - first))
            .unwrap_or_default()
    }
}

/// All kernels, by name.
pub fn kernel_sources() -> &'static [KernelSource] {
    SOURCES
}

/// The kernel called `name`.
pub fn kernel_source(name: &str) -> Result<&'static KernelSource> {
    SOURCES.iter().find(|k| k.name == name).ok_or_else(|| Error::Bug(format!("there is no kernel `{name}`")))
}

/// A compiled entry point of a kernel.
#[derive(Debug, Clone)]
pub struct Kernel {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) label: &'static str,
    layout: wgpu::BindGroupLayout,
    entry: EntryInfo,
    workgroup: [u32; 3],
}

/// Buffers bound to a kernel.
#[derive(Debug, Clone)]
pub struct BindGroup {
    pub(super) group: wgpu::BindGroup,
    /// Holds the buffers, so that the pool does not hand them to somebody else.
    _buffers: Vec<GpuBuffer>,
}

impl Kernel {
    /// Compiles entry point `entry` of kernel `name` with the given override constants, or takes it from those compiled before.
    ///
    /// # Errors
    /// [`Error::Bug`] when the text or a constant name is wrong, [`GpuError`] when the driver refuses or a workgroup is larger than
    /// the device allows.
    pub fn new(ctx: &GpuContext, name: &'static str, entry: &str, constants: &[(&str, f64)]) -> Result<Self> {
        let key = KernelKey::new(name, entry, constants);
        if let Some(kernel) = ctx.kernels().get(&key) {
            return Ok(kernel);
        }
        let kernel = Self::from_source(ctx, kernel_source(name)?, entry, constants)?;
        ctx.kernels().put(key, &kernel);
        Ok(kernel)
    }

    /// Compiles an entry point of a text of the caller's own, for operations outside this crate.
    pub fn from_source(
        ctx: &GpuContext,
        source: &KernelSource,
        entry: &str,
        constants: &[(&str, f64)],
    ) -> Result<Self> {
        let name = source.name;
        let interface = reflect(source)?;
        let bug = |message: String| Error::Bug(format!("kernel {name}: {message}"));
        let info = interface
            .entries
            .into_iter()
            .find(|e| e.name == entry)
            .ok_or_else(|| bug(format!("there is no entry point `{entry}`")))?;
        if let Some((unknown, _)) = constants.iter().find(|(c, _)| !interface.overrides.iter().any(|(o, _)| o == c)) {
            return Err(bug(format!("there is no override `{unknown}`")));
        }
        let value = |n: &str| {
            let given = constants.iter().find(|(c, _)| *c == n).map(|(_, v)| *v);
            given.or_else(|| interface.overrides.iter().find(|(o, _)| o == n).and_then(|(_, v)| *v))
        };
        let mut workgroup = info.workgroup_size;
        for (size, from) in workgroup.iter_mut().zip(&info.workgroup_overrides) {
            if let Some(v) = from.as_deref().and_then(value) {
                *size = v as u32;
            }
        }
        let invocations = workgroup.iter().map(|v| u64::from(*v)).product::<u64>();
        if invocations > u64::from(ctx.caps().max_invocations) {
            return Err(Error::Gpu(GpuError::Unsupported {
                adapter: ctx.caps().name.clone(),
                needed: format!(
                    "{invocations} invocations per workgroup for {name} (it has {})",
                    ctx.caps().max_invocations
                ),
            }));
        }
        let entries: Vec<_> = info
            .bindings
            .iter()
            .map(|b| wgpu::BindGroupLayoutEntry {
                binding: b.binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: if b.uniform {
                        wgpu::BufferBindingType::Uniform
                    } else {
                        wgpu::BufferBindingType::Storage { read_only: !b.writable }
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let (pipeline, layout) = ctx.scoped(name, |device| {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(source.text.into()),
            });
            let layout = device
                .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(name), entries: &entries });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(name),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants,
                    zero_initialize_workgroup_memory: true,
                },
                cache: None,
            });
            (pipeline, layout)
        })?;
        Ok(Self { pipeline, label: name, layout, entry: info, workgroup })
    }

    /// Workgroup size with the overrides in force.
    pub fn workgroup_size(&self) -> [u32; 3] {
        self.workgroup
    }

    /// Bindings by name, as the text declares them.
    pub fn interface(&self) -> &EntryInfo {
        &self.entry
    }

    /// Binds buffers by name: exactly the names the entry point uses.
    ///
    /// # Errors
    /// [`Error::Bug`] for a missing or unknown name, `GpuError::Unsupported` when a buffer is larger than one binding may be.
    pub fn bind(&self, ctx: &GpuContext, buffers: &[(&str, &GpuBuffer)]) -> Result<BindGroup> {
        let bug = |message: String| Error::Bug(format!("kernel {}: {message}", self.label));
        if let Some((unknown, _)) = buffers.iter().find(|(n, _)| !self.entry.bindings.iter().any(|b| b.name == *n)) {
            return Err(bug(format!("`{}` has no binding `{unknown}`", self.entry.name)));
        }
        let mut entries = Vec::with_capacity(self.entry.bindings.len());
        for b in &self.entry.bindings {
            let (_, buffer) = buffers
                .iter()
                .find(|(n, _)| *n == b.name)
                .ok_or_else(|| bug(format!("binding `{}` of `{}` was not given", b.name, self.entry.name)))?;
            if buffer.size_bytes() > ctx.caps().max_binding_bytes {
                return Err(Error::Gpu(GpuError::Unsupported {
                    adapter: ctx.caps().name.clone(),
                    needed: format!(
                        "a storage binding of {} bytes for `{}` of {} (it has {}); use smaller batches",
                        buffer.size_bytes(),
                        b.name,
                        self.label,
                        ctx.caps().max_binding_bytes
                    ),
                }));
            }
            entries.push(wgpu::BindGroupEntry { binding: b.binding, resource: buffer.raw().as_entire_binding() });
        }
        let group = ctx.scoped(self.label, |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(self.label),
                layout: &self.layout,
                entries: &entries,
            })
        })?;
        Ok(BindGroup { group, _buffers: buffers.iter().map(|(_, b)| (*b).clone()).collect() })
    }
}
