//! Choosing adapters, devices of the host's own, and the support module of the tests itself.

use crate::gpu::on_every_adapter;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::{DeviceChoice, GpuContext, GpuOptions, list_adapters, wgpu};
use frameloom::ops::{GpuFrames, histogram};
use frameloom::{Error, GpuError};

fn open(device: DeviceChoice) -> frameloom::Result<GpuContext> {
    GpuContext::new(&GpuOptions { device, ..GpuOptions::default() })
}

#[test]
fn an_adapter_that_is_missing_is_an_error_that_lists_the_others() {
    let names: Vec<String> = list_adapters().into_iter().map(|a| a.name).collect();
    for choice in [DeviceChoice::Name("no such adapter".into()), DeviceChoice::Index(999)] {
        let wish = choice.to_string();
        match open(choice) {
            Err(e @ Error::Gpu(GpuError::Unavailable { .. })) => {
                let text = e.to_string();
                assert!(text.contains(&wish) && names.iter().all(|n| text.contains(n.as_str())), "{text}");
                assert_eq!((e.code(), e.exit_code()), ("gpu-unavailable", 8));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn hardware_is_never_replaced_by_software_on_demand() {
    let hardware = list_adapters().iter().any(|a| a.kind != "software");
    match open(DeviceChoice::Gpu) {
        Ok(ctx) => assert!(hardware && !ctx.caps().is_software()),
        Err(Error::Gpu(GpuError::Unavailable { wanted, .. })) => assert!(!hardware && wanted == "gpu"),
        Err(e) => panic!("{e}"),
    }
    let auto = open(DeviceChoice::Auto).unwrap();
    assert_eq!(auto.caps().is_software(), !hardware);
    assert_eq!(auto.software_warning().is_some(), !hardware);
}

fn adapter(ctx: &GpuContext) -> wgpu::Adapter {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    all.into_iter().find(|a| a.get_info().name == ctx.caps().name).unwrap()
}

#[test]
fn a_device_of_the_hosts_own_runs_kernels() {
    on_every_adapter("from_wgpu", |ctx| {
        // Only what is required: no timestamps, no mappable storage, default limits.
        let descriptor = wgpu::DeviceDescriptor { required_features: wgpu::Features::SUBGROUP, ..Default::default() };
        let (device, queue) = pollster::block_on(adapter(ctx).request_device(&descriptor)).unwrap();
        let own = GpuContext::from_wgpu(device, queue, &GpuOptions::default()).unwrap();
        let caps = own.caps();
        assert_eq!((caps.mappable_storage, caps.timestamps, caps.f16), (false, false, false));
        assert_eq!((caps.max_binding_bytes, caps.class), (128 << 20, ctx.caps().class));
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(20, 3)).unwrap();
        let frame = vec![7; layout.slot_bytes() as usize];
        let src = GpuFrames::from_host(&own, "t", layout, &[&frame]).unwrap();
        let counts = histogram::luma::luma(&own, &src, Default::default()).unwrap();
        assert_eq!((counts[0][7], counts[0].iter().sum::<u32>()), (60, 60));
    });
}

#[test]
fn a_device_without_subgroups_is_refused() {
    on_every_adapter("from_wgpu without subgroups", |ctx| {
        let (device, queue) = pollster::block_on(adapter(ctx).request_device(&Default::default())).unwrap();
        match GpuContext::from_wgpu(device, queue, &GpuOptions::default()) {
            Err(Error::Gpu(GpuError::Unsupported { adapter, needed })) => {
                assert_eq!((adapter, needed.as_str()), (ctx.caps().name.clone(), "subgroup operations"));
            }
            other => panic!("{other:?}"),
        }
    });
}

/// What the children below run.
#[test]
fn trial() {
    on_every_adapter("trial", |_| {});
}

fn child(variable: &str, value: &str) -> (bool, String) {
    #[allow(clippy::disallowed_methods, reason = "runs this test program itself, with another environment")]
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "adapters::trial", "--nocapture"]);
    command.env_remove("FRAMELOOM_REQUIRE_GPU").env_remove("FRAMELOOM_ADAPTER").env_remove("FRAMELOOM_TRIALS");
    let out = command.env(variable, value).output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
}

#[test]
fn a_required_gpu_that_is_missing_fails_the_tests() {
    let hardware = list_adapters().iter().any(|a| a.kind != "software");
    let (passed, text) = child("FRAMELOOM_REQUIRE_GPU", "1");
    assert_eq!(passed, hardware, "{text}");
    if !hardware {
        assert!(text.contains("FRAMELOOM_REQUIRE_GPU=1, but there is no hardware GPU among: "), "{text}");
    }
    let (passed, text) = child("FRAMELOOM_REQUIRE_GPU", "0");
    assert!(passed && text.contains("GPU TRIAL trial on "), "{text}");
}

#[test]
fn a_chosen_adapter_that_is_missing_fails_the_tests() {
    let (passed, text) = child("FRAMELOOM_ADAPTER", "no such adapter");
    assert!(!passed && text.contains("no adapter for `no such adapter`"), "{text}");
    let (passed, text) = child("FRAMELOOM_ADAPTER", "0");
    assert!(passed && text.matches("GPU TRIAL trial on ").count() == 1, "{text}");
}

#[test]
fn trials_are_recorded_for_the_summary() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (passed, _) = child("FRAMELOOM_TRIALS", file.path().to_str().unwrap());
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(passed);
    assert_eq!(text.lines().count(), list_adapters().len(), "{text}");
    assert!(text.lines().all(|l| l.starts_with("trial\t") && l.split('\t').count() == 3), "{text}");
}
