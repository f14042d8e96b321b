//! A host that owns a wgpu device lends it to Frameloom: frames come from the host's buffer, results stay on the device.
//!
//! `cargo run --example 06_bring_your_own_device`. Needs no feature.
//!
//! Two things to know. The device must have the subgroup feature. [`GpuContext::from_wgpu`] replaces the device's error handler
//! and loss callback, because results must not be believed after a loss: a host that wants its own sets them again once the
//! context is gone, and asks [`GpuContext::check`] until then.

use std::sync::Arc;
use std::time::Duration;

use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::wgpu;
use frameloom::gpu::{GpuContext, GpuOptions, Recorder};
use frameloom::ops::GpuFrames;
use frameloom::ops::stats::luma::{LumaParams, LumaStatsPlan};
use frameloom::reference::pattern::Pattern;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1. The host's own device. Mappable storage saves a copy on software and unified-memory adapters;
    //    timestamps time kernels.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    let wanted = wgpu::Features::SUBGROUP | wgpu::Features::MAPPABLE_PRIMARY_BUFFERS | wgpu::Features::TIMESTAMP_QUERY;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("the host's device"),
        required_features: adapter.features() & wanted,
        required_limits: adapter.limits(),
        ..Default::default()
    }))?;

    // 2. A picture that the host has on the device already.
    let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(640, 480)).ok_or("a frame needs pixels")?;
    let picture = Pattern::Natural { seed: 1, shift: 0 }.frame(&layout);
    let hosts = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("the host's picture"),
        size: picture.len() as u64,
        usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    queue.write_buffer(&hosts, 0, &picture);

    // 3. Frameloom on the same device. Device and queue are handles: the host keeps its own.
    let ctx = GpuContext::from_wgpu(device.clone(), queue.clone(), &GpuOptions::default())?;
    println!("adapter: {} [{}], mapped uploads: {}", ctx.caps().name, ctx.caps().kind, ctx.caps().mappable_storage);
    let frames = GpuFrames::new(&ctx, "frames", PixelFormat::Gray8, layout.size, 1)?;
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(&hosts, 0, frames.buffer().raw(), 0, Some(picture.len() as u64));
    queue.submit([encoder.finish()]);

    let bound = LumaStatsPlan::new(&ctx, &layout, LumaParams { dark: 25, bright: 230 })?.bind(&ctx, &frames, 0)?;
    let mut rec = Recorder::new(&ctx, "statistics");
    bound.record(&mut rec, 1);
    rec.submit()?; // same queue: what the host submits next comes after it

    // 4. The host reads the result with its own commands, from the buffer that the operation wrote.
    let bytes = read(&device, &queue, bound.results().raw(), LumaStatsPlan::RESULT_BYTES)?;
    let sums = bound.decode(&bytes);
    let stats = sums.first().ok_or("no result")?.stats(layout.size);
    println!("mean {:.2}, sharpness {:.1}, noise {:.2}", stats.mean, stats.laplacian_variance, stats.noise_sigma);

    // 5. Frameloom goes; the device stays the host's, with everything in it.
    ctx.check()?;
    drop((bound, frames, ctx));
    device.on_uncaptured_error(Arc::new(|e| eprintln!("the host's own handler: {e}")));
    let again = read(&device, &queue, &hosts, picture.len() as u64)?;
    println!("the host's device works on: its picture is {}", if again == picture { "unchanged" } else { "DAMAGED" });
    if again == picture { Ok(()) } else { Err("the host's buffer changed".into()) }
}

/// Reads a buffer with nothing but wgpu, as a host would.
fn read(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    from: &wgpu::Buffer,
    bytes: u64,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let to = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("the host's readback"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(from, 0, &to, 0, Some(bytes));
    queue.submit([encoder.finish()]);
    let (done, mapped) = std::sync::mpsc::channel();
    to.slice(..).map_async(wgpu::MapMode::Read, move |r| drop(done.send(r)));
    device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(Duration::from_secs(30)) })?;
    mapped.recv_timeout(Duration::from_secs(30))??;
    Ok(to.get_mapped_range(..)?.to_vec())
}
