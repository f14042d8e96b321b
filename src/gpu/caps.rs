//! What an adapter can do, in our words.

use wgpu::{DeviceType, Features};

/// Whether kernels run on a CPU (software adapter) or on a GPU. Kernels choose their variant and sizes by it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdapterClass {
    /// Software adapter: barriers and atomics are dear, loads are the cost, memory is host memory.
    Cpu,
    /// Hardware.
    Gpu,
}

/// Capabilities of an opened device.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct Caps {
    /// Adapter name as the driver gives it.
    pub name: String,
    /// Driver name and version.
    pub driver: String,
    /// Graphics API: vulkan, metal, dx12.
    pub backend: String,
    /// "discrete", "integrated", "virtual", "software" or "other".
    pub kind: &'static str,
    /// CPU or GPU.
    pub class: AdapterClass,
    /// Whether storage buffers can be mapped, so that uploads need no copy.
    pub mappable_storage: bool,
    /// Whether kernels can be timed on the device.
    pub timestamps: bool,
    /// Whether kernels may use 16-bit floats.
    pub f16: bool,
    /// Smallest and largest subgroup.
    pub subgroup_sizes: (u32, u32),
    /// Largest storage binding in bytes; a batch is sliced by it.
    pub max_binding_bytes: u64,
    /// Largest buffer in bytes.
    pub max_buffer_bytes: u64,
    /// Bytes of workgroup memory.
    pub workgroup_memory_bytes: u32,
    /// Invocations of a workgroup.
    pub max_invocations: u32,
    /// Workgroups per dimension of a dispatch.
    pub max_workgroups: u32,
}

impl Caps {
    pub(super) fn new(info: &wgpu::AdapterInfo, features: Features, limits: &wgpu::Limits) -> Self {
        let class = if info.device_type == DeviceType::Cpu { AdapterClass::Cpu } else { AdapterClass::Gpu };
        // On a discrete card a mapped storage buffer would be read across the bus at every access.
        let unified = matches!(info.device_type, DeviceType::Cpu | DeviceType::IntegratedGpu);
        Self {
            name: info.name.clone(),
            driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_owned(),
            backend: info.backend.to_string(),
            kind: device_kind(info.device_type),
            class,
            mappable_storage: unified && features.contains(Features::MAPPABLE_PRIMARY_BUFFERS),
            timestamps: features.contains(Features::TIMESTAMP_QUERY),
            f16: features.contains(Features::SHADER_F16),
            subgroup_sizes: (info.subgroup_min_size, info.subgroup_max_size),
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            max_buffer_bytes: limits.max_buffer_size,
            workgroup_memory_bytes: limits.max_compute_workgroup_storage_size,
            max_invocations: limits.max_compute_invocations_per_workgroup,
            max_workgroups: limits.max_compute_workgroups_per_dimension,
        }
    }

    /// Whether the device's memory is that of the host.
    pub fn shares_host_memory(&self) -> bool {
        matches!(self.kind, "software" | "integrated")
    }

    /// Whether this is a software adapter.
    pub fn is_software(&self) -> bool {
        self.class == AdapterClass::Cpu
    }
}

pub(super) fn device_kind(t: DeviceType) -> &'static str {
    match t {
        DeviceType::DiscreteGpu => "discrete",
        DeviceType::IntegratedGpu => "integrated",
        DeviceType::VirtualGpu => "virtual",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    }
}
