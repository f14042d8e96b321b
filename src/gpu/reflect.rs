//! What a kernel's text says about itself: bindings by name, entry points, struct layouts. The single source for binding and
//! for the tests that compare Rust structs with WGSL structs.

use wgpu::naga;

use super::kernel::KernelSource;
use crate::error::{Error, Result};

/// A buffer binding of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingInfo {
    /// Variable name in the WGSL text; operations bind by it.
    pub name: String,
    /// Binding number in group 0.
    pub binding: u32,
    /// Whether it is a uniform buffer.
    pub uniform: bool,
    /// Whether the kernel may write to it.
    pub writable: bool,
}

/// One entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryInfo {
    /// Function name.
    pub name: String,
    /// Bindings this entry point uses, by binding number.
    pub bindings: Vec<BindingInfo>,
    /// Workgroup size; 1 where an override gives it, see `workgroup_overrides`.
    pub workgroup_size: [u32; 3],
    /// Name of the override behind each component of the workgroup size, if any.
    pub workgroup_overrides: [Option<String>; 3],
}

/// A member of a WGSL struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructField {
    /// Member name.
    pub name: String,
    /// Byte offset.
    pub offset: u32,
}

/// The interface of a kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelInterface {
    /// Entry points in source order.
    pub entries: Vec<EntryInfo>,
    /// Pipeline-overridable constants with their defaults, in source order.
    pub overrides: Vec<(String, Option<f64>)>,
    /// Structs: name, size in bytes, members.
    pub structs: Vec<(String, u32, Vec<StructField>)>,
}

/// Parses and validates a kernel and reads its interface.
///
/// # Errors
/// [`Error::Bug`] with the message of the shader compiler and the real file and line: kernel texts are ours.
pub fn reflect(source: &KernelSource) -> Result<KernelInterface> {
    let bug = |message: String| Error::Bug(format!("kernel {}: {message}", source.name));
    let module = naga::front::wgsl::parse_str(source.text).map_err(|e| {
        let at = e.location(source.text).map(|l| source.locate(l.line_number as usize)).unwrap_or_default();
        bug(format!("{at}: {}", e.emit_to_string(source.text)))
    })?;
    let mut validator =
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::all());
    let info = validator.validate(&module).map_err(|e| bug(e.emit_to_string(source.text)))?;

    let entries = module
        .entry_points
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let uses = info.get_entry_point(index);
            let mut bindings: Vec<BindingInfo> = module
                .global_variables
                .iter()
                .filter(|(handle, _)| !uses[*handle].is_empty())
                .filter_map(|(_, var)| binding(var))
                .collect();
            bindings.sort_by_key(|b| b.binding);
            let overrides = entry.workgroup_size_overrides.unwrap_or_default();
            EntryInfo {
                name: entry.name.clone(),
                bindings,
                workgroup_size: entry.workgroup_size,
                workgroup_overrides: overrides.map(|e| override_name(&module, e)),
            }
        })
        .collect();
    let overrides = module
        .overrides
        .iter()
        .map(|(_, o)| (o.name.clone().unwrap_or_default(), o.init.and_then(|e| literal(&module, e))))
        .collect();
    let structs = module
        .types
        .iter()
        .filter_map(|(_, ty)| match &ty.inner {
            naga::TypeInner::Struct { members, span } => Some((
                ty.name.clone().unwrap_or_default(),
                *span,
                members
                    .iter()
                    .map(|m| StructField { name: m.name.clone().unwrap_or_default(), offset: m.offset })
                    .collect(),
            )),
            _ => None,
        })
        .collect();
    Ok(KernelInterface { entries, overrides, structs })
}

fn binding(var: &naga::GlobalVariable) -> Option<BindingInfo> {
    let at = var.binding.as_ref()?;
    let (uniform, writable) = match var.space {
        naga::AddressSpace::Uniform => (true, false),
        naga::AddressSpace::Storage { access } => (false, access.contains(naga::StorageAccess::STORE)),
        _ => return None,
    };
    Some(BindingInfo { name: var.name.clone()?, binding: at.binding, uniform, writable })
}

fn override_name(module: &naga::Module, e: Option<naga::Handle<naga::Expression>>) -> Option<String> {
    match module.global_expressions.try_get(e?).ok()? {
        naga::Expression::Override(handle) => module.overrides.try_get(*handle).ok()?.name.clone(),
        _ => None,
    }
}

fn literal(module: &naga::Module, e: naga::Handle<naga::Expression>) -> Option<f64> {
    match module.global_expressions.try_get(e).ok()? {
        naga::Expression::Literal(naga::Literal::U32(v)) => Some(f64::from(*v)),
        naga::Expression::Literal(naga::Literal::I32(v)) => Some(f64::from(*v)),
        naga::Expression::Literal(naga::Literal::F32(v)) => Some(f64::from(*v)),
        naga::Expression::Literal(naga::Literal::Bool(v)) => Some(f64::from(u8::from(*v))),
        _ => None,
    }
}
