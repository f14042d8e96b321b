//! Which adapter to use. `auto` prefers hardware; an explicit wish that cannot be met is an error, never a fallback.

use std::str::FromStr;

use wgpu::{DeviceType, Features};

use super::caps::device_kind;
use super::context::REQUIRED;
use crate::error::{Error, GpuError, Result};

/// A wish for an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// Discrete, then integrated, then virtual GPU, then a software adapter: the first of them that kernels run on.
    #[default]
    Auto,
    /// The first hardware GPU that kernels run on; a software adapter is not accepted.
    Gpu,
    /// The first software adapter that kernels run on.
    Cpu,
    /// The adapter at this position of [`list_adapters`].
    Index(usize),
    /// The first adapter whose name contains this text, case ignored.
    Name(String),
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        Ok(match s.trim() {
            "" => {
                return Err(Error::usage(
                    "`--device` must be auto, gpu, cpu, a number or part of a name, got an empty text",
                ));
            }
            "auto" => Self::Auto,
            "gpu" => Self::Gpu,
            "cpu" => Self::Cpu,
            other => other.parse().map_or_else(|_| Self::Name(other.to_owned()), Self::Index),
        })
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Gpu => f.write_str("gpu"),
            Self::Cpu => f.write_str("cpu"),
            Self::Index(i) => write!(f, "{i}"),
            Self::Name(n) => f.write_str(n),
        }
    }
}

/// One adapter of this machine, as `frameloom doctor` lists it.
#[derive(Debug, Clone)]
pub struct AdapterSummary {
    /// Position, accepted by [`DeviceChoice::Index`].
    pub index: usize,
    /// Name as the driver gives it.
    pub name: String,
    /// "discrete", "integrated", "virtual", "software" or "other".
    pub kind: &'static str,
    /// Graphics API.
    pub backend: String,
    /// Driver name and version.
    pub driver: String,
    /// Features of interest and whether the adapter has them.
    pub features: Vec<(&'static str, bool)>,
    /// Limits of interest.
    pub limits: Vec<(&'static str, u64)>,
}

pub(super) fn instance() -> wgpu::Instance {
    let mut d = wgpu::InstanceDescriptor::new_without_display_handle();
    d.backends = wgpu::Backends::PRIMARY;
    // `WGPU_VALIDATION=1` asks for the driver's validation layer, `WGPU_DEBUG=0` leaves debug information out of shaders.
    d.flags = (wgpu::InstanceFlags::from_build_config() & !wgpu::InstanceFlags::VALIDATION).with_env();
    wgpu::Instance::new(d)
}

pub(super) fn enumerate(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    adapters.sort_by_key(|a| rank(a.get_info().device_type)); // stable: the driver's order within a kind
    adapters
}

fn rank(t: DeviceType) -> u8 {
    match t {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// All adapters of this machine, hardware first.
pub fn list_adapters() -> Vec<AdapterSummary> {
    enumerate(&instance()).iter().enumerate().map(|(index, a)| summary(index, a)).collect()
}

fn summary(index: usize, a: &wgpu::Adapter) -> AdapterSummary {
    let (info, f, l) = (a.get_info(), a.features(), a.limits());
    AdapterSummary {
        index,
        name: info.name.clone(),
        kind: device_kind(info.device_type),
        backend: info.backend.to_string(),
        driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_owned(),
        features: vec![
            ("subgroups", f.contains(Features::SUBGROUP)),
            ("f16", f.contains(Features::SHADER_F16)),
            ("timestamps", f.contains(Features::TIMESTAMP_QUERY)),
            ("mappable storage", f.contains(Features::MAPPABLE_PRIMARY_BUFFERS)),
            ("pipeline cache", f.contains(Features::PIPELINE_CACHE)),
        ],
        limits: vec![
            ("subgroup size, least", u64::from(info.subgroup_min_size)),
            ("subgroup size, most", u64::from(info.subgroup_max_size)),
            ("storage binding, bytes", l.max_storage_buffer_binding_size),
            ("buffer, bytes", l.max_buffer_size),
            ("workgroup memory, bytes", u64::from(l.max_compute_workgroup_storage_size)),
            ("invocations per workgroup", u64::from(l.max_compute_invocations_per_workgroup)),
            ("workgroups per dimension", u64::from(l.max_compute_workgroups_per_dimension)),
            ("storage buffers per stage", u64::from(l.max_storage_buffers_per_shader_stage)),
        ],
    }
}

pub(super) fn choose(instance: &wgpu::Instance, choice: &DeviceChoice) -> Result<wgpu::Adapter> {
    let adapters = enumerate(instance);
    let found = adapters
        .iter()
        .enumerate()
        .map(|(i, a)| format!("{i}: {} ({})", a.get_info().name, device_kind(a.get_info().device_type)))
        .collect::<Vec<_>>()
        .join(", ");
    let software = |a: &wgpu::Adapter| a.get_info().device_type == DeviceType::Cpu;
    let usable = |a: &wgpu::Adapter| a.features().contains(REQUIRED);
    let mut adapters = adapters.into_iter();
    let hit = match choice {
        DeviceChoice::Auto => first_usable(adapters, usable),
        DeviceChoice::Gpu => first_usable(adapters.filter(|a| !software(a)), usable),
        DeviceChoice::Cpu => first_usable(adapters.filter(software), usable),
        DeviceChoice::Index(i) => adapters.nth(*i),
        DeviceChoice::Name(n) => {
            let wanted = n.to_lowercase();
            adapters.find(|a| a.get_info().name.to_lowercase().contains(&wanted))
        }
    };
    hit.ok_or_else(|| {
        let found = if found.is_empty() { "none".to_owned() } else { found };
        Error::Gpu(GpuError::Unavailable { wanted: choice.to_string(), found })
    })
}

/// The first candidate that kernels run on. Without one the first of all: opening it says what it lacks.
fn first_usable<T>(candidates: impl Iterator<Item = T>, usable: impl Fn(&T) -> bool) -> Option<T> {
    let mut first = None;
    for candidate in candidates {
        if usable(&candidate) {
            return Some(candidate);
        }
        first.get_or_insert(candidate);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_that_kernels_do_not_run_on_is_passed_over() {
        let pick =
            |all: [(&'static str, bool); 3]| first_usable(all.into_iter(), |(_, usable)| *usable).map(|(n, _)| n);
        assert_eq!(pick([("old", false), ("new", true), ("newer", true)]), Some("new"));
        assert_eq!(pick([("first", true), ("new", true), ("newer", true)]), Some("first"));
        assert_eq!(pick([("old", false), ("older", false), ("oldest", false)]), Some("old"));
        assert_eq!(first_usable(std::iter::empty::<u8>(), |_| true), None);
    }

    #[test]
    fn choices_parse_and_print_alike() {
        for text in ["auto", "gpu", "cpu", "3", "llvmpipe"] {
            assert_eq!(text.parse::<DeviceChoice>().expect("valid").to_string(), text);
        }
        assert!("".parse::<DeviceChoice>().is_err());
    }
}
