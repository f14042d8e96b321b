//! Kernel texts, without a GPU: they resolve, validate, stay within portable limits, and agree with the Rust side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../../build/resolve.rs"]
mod resolve;
mod resolver;

use frameloom::gpu::wgpu::naga;
use frameloom::gpu::{KernelInterface, KernelSource, kernel_source, kernel_sources, reflect};
use frameloom::ops::OPS;
use std::fmt::Write as _;

/// Workgroup memory that WebGPU promises everywhere.
const WORKGROUP_BYTES: u32 = 16 * 1024;
/// Kernels that may use more workgroup memory on adapters that have it, with the reason.
const MORE_WORKGROUP_MEMORY: [(&str, &str); 0] = [];

fn parse(source: &KernelSource) -> naga::Module {
    naga::front::wgsl::parse_str(source.text).unwrap()
}

#[test]
fn every_kernel_validates() {
    for source in kernel_sources() {
        let interface = reflect(source).unwrap_or_else(|e| panic!("{e}"));
        assert!(!interface.entries.is_empty(), "{} has no entry point", source.name);
    }
}

/// The reflection of a broken text names the real file and line.
#[test]
fn a_broken_kernel_is_traced_to_its_file() {
    let good = kernel_source("stats/luma").unwrap();
    let line = good.text.lines().position(|l| l.contains("fn sum_lanes")).unwrap();
    let text = good.text.replace("fn sum_lanes", "fn sum_lanes !");
    let bad = KernelSource { text: Box::leak(text.into_boxed_str()), ..*good };
    let message = reflect(&bad).unwrap_err().to_string();
    let here = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/kernels/common/luma.wgsl")).unwrap();
    let there = here.lines().position(|l| l.contains("fn sum_lanes")).unwrap() + 1;
    assert!(message.contains(&format!("kernels/common/luma.wgsl:{there}")), "line {line}: {message}");
}

#[test]
fn bindings_stay_within_portable_limits() {
    for source in kernel_sources() {
        for entry in reflect(source).unwrap().entries {
            let storage = entry.bindings.iter().filter(|b| !b.uniform).count();
            assert!(storage <= 8, "{} {}: {storage} storage buffers", source.name, entry.name);
            let uniform: Vec<_> = entry.bindings.iter().filter(|b| b.uniform).collect();
            assert!(uniform.len() <= 1, "{} {}: more than one uniform buffer", source.name, entry.name);
            assert!(uniform.iter().all(|b| b.name == "params" && b.binding == 0), "{}", source.name);
            let invocations: u32 = entry.workgroup_size.iter().product();
            assert!(invocations <= 256, "{} {}: {invocations} invocations", source.name, entry.name);
            for b in entry.bindings.iter().filter(|b| !b.uniform) {
                let dst = b.name.starts_with("dst");
                assert!(
                    b.writable == dst,
                    "{}: `{}` is {}writable",
                    source.name,
                    b.name,
                    if dst { "not " } else { "" }
                );
            }
        }
    }
}

/// Bytes of workgroup memory an entry point uses, with default overrides.
fn workgroup_bytes(source: &KernelSource, entry: &str) -> u32 {
    let module = parse(source);
    let mut validator =
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::all());
    let info = validator.validate(&module).unwrap();
    let which = Some((naga::ShaderStage::Compute, entry));
    let (module, _) =
        naga::back::pipeline_constants::process_overrides(&module, &info, which, &Default::default()).unwrap();
    let info = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::all())
        .validate(&module)
        .unwrap();
    let index = module.entry_points.iter().position(|e| e.name == entry).unwrap();
    let uses = info.get_entry_point(index);
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).unwrap();
    module
        .global_variables
        .iter()
        .filter(|(handle, var)| var.space == naga::AddressSpace::WorkGroup && !uses[*handle].is_empty())
        .map(|(_, var)| layouter[var.ty].size)
        .sum()
}

#[test]
fn workgroup_memory_stays_within_what_webgpu_promises() {
    let mut seen = 0;
    for source in kernel_sources() {
        for entry in reflect(source).unwrap().entries {
            let bytes = workgroup_bytes(source, &entry.name);
            seen += bytes;
            let excused = MORE_WORKGROUP_MEMORY.iter().any(|(name, _)| *name == source.name);
            assert!(bytes <= WORKGROUP_BYTES || excused, "{} {}: {bytes} bytes", source.name, entry.name);
        }
    }
    assert_eq!(workgroup_bytes(kernel_source("histogram/luma").unwrap(), "main_lanes"), 8 * 1024);
    assert!(seen > 0);
}

fn describe(interface: &KernelInterface) -> String {
    let mut out = String::new();
    for entry in &interface.entries {
        let size: Vec<String> = entry
            .workgroup_size
            .iter()
            .zip(&entry.workgroup_overrides)
            .map(|(n, o)| o.as_ref().map_or(n.to_string(), |o| format!("{o}={n}")))
            .collect();
        writeln!(out, "entry {} [{}]", entry.name, size.join(", ")).unwrap();
        for b in &entry.bindings {
            let kind = match (b.uniform, b.writable) {
                (true, _) => "uniform",
                (_, false) => "read",
                (_, true) => "read_write",
            };
            writeln!(out, "  {} {} {kind}", b.binding, b.name).unwrap();
        }
    }
    for (name, default) in &interface.overrides {
        let default = default.map_or("required".to_owned(), |v| v.to_string());
        writeln!(out, "override {name} = {default}").unwrap();
    }
    for (name, size, fields) in &interface.structs {
        writeln!(out, "struct {name} ({size} bytes)").unwrap();
        for f in fields {
            writeln!(out, "  {} {}", f.offset, f.name).unwrap();
        }
    }
    out
}

/// A change of a kernel's interface shows in review. Accept one with `INSTA_UPDATE=always cargo test --test kernels`.
#[test]
fn interfaces_are_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/kernels");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for source in kernel_sources() {
            insta::assert_snapshot!(source.name.replace('/', "."), describe(&reflect(source).unwrap()));
        }
    });
}

#[test]
fn params_of_kernel_and_host_are_the_same_struct() {
    for op in OPS {
        let interface = reflect(kernel_source(op.name).unwrap()).unwrap();
        let params = interface.structs.iter().find(|(name, ..)| name == "Params");
        let Some((_, size, members)) = params else {
            assert!(op.fields.is_empty(), "{} has no struct Params", op.name);
            continue;
        };
        let kernel: Vec<(String, usize)> = members.iter().map(|m| (m.name.clone(), m.offset as usize)).collect();
        let mut end = 0;
        let host: Vec<(String, usize)> = op
            .fields
            .iter()
            .map(|(name, bytes)| {
                end += bytes;
                ((*name).to_owned(), end - bytes)
            })
            .collect();
        assert_eq!(kernel, host, "{}", op.name);
        assert_eq!(*size as usize, end.next_multiple_of(if op.fields.iter().any(|f| f.1 == 16) { 16 } else { 4 }));
    }
}

#[test]
fn entries_are_those_the_registry_names() {
    for op in OPS {
        let interface = reflect(kernel_source(op.name).unwrap()).unwrap();
        let names: Vec<&str> = interface.entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, op.entries, "{}", op.name);
    }
    assert!(OPS.windows(2).all(|w| w[0].name < w[1].name), "OPS is in alphabetical order");
}

/// The head comment says, in this order, what comes in, what goes out, how exact it is and where loops end.
#[test]
fn every_kernel_has_its_head_comment() {
    for source in kernel_sources() {
        let head: String = source.text.lines().take_while(|l| l.starts_with("//")).collect::<Vec<_>>().join("\n");
        let mut rest = head.as_str();
        for word in ["In:", "Out:", "Exact", "Loop bound"] {
            let (_, after) =
                rest.split_once(word).unwrap_or_else(|| panic!("{}: the head comment lacks \"{word}\"", source.name));
            rest = after;
        }
        assert!(head.lines().all(|l| l.chars().count() <= 160), "{}: overlong comment", source.name);
    }
}
