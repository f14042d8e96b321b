//! An operation of your own: a WGSL text, bound by name, recorded, read back, compared with a plain loop.
//!
//! `cargo run --example 07_write_your_own_op`. Needs no feature.

use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::{BufferUse, GpuBuffer, GpuContext, GpuOptions, Kernel, KernelSource, Recorder, reflect};
use frameloom::ops::GpuFrames;
use frameloom::reference::pattern::Pattern;

/// Counts the bright pixels of each frame: four pixels an invocation, one row a workgroup row, one frame a `z`.
static BRIGHT: KernelSource = KernelSource {
    name: "example/bright",
    map: &[(1, "example/bright.wgsl", 1)],
    text: "
override WG: u32 = 64u;

struct Params {
    width: u32,     // pixels a row
    stride: u32,    // words from row to row
    slot: u32,      // words from frame to frame
    level: u32,     // a pixel counts from this code on
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst_counts: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = id.x * 4u;
    if (first >= params.width) {
        return;
    }
    let four = src[id.z * params.slot + id.y * params.stride + id.x];
    var count = 0u;
    for (var k = 0u; k < 4u; k++) {
        let code = (four >> (8u * k)) & 255u;
        // Rows end in padding that may hold anything: it must never count.
        count += select(0u, 1u, first + k < params.width && code >= params.level);
    }
    if (count > 0u) {
        atomicAdd(&dst_counts[id.z], count);
    }
}
",
};

const LEVEL: u32 = 150;

fn main() -> frameloom::Result<()> {
    // What the text says about itself; a mistake in it is an error with file and line.
    let interface = reflect(&BRIGHT)?;
    println!("constants {:?}", interface.overrides);
    for binding in interface.entries.iter().flat_map(|e| &e.bindings) {
        println!("binding {} {}{}", binding.binding, binding.name, if binding.writable { ", written" } else { "" });
    }

    let ctx = GpuContext::new(&GpuOptions::default())?;
    // 317 pixels a row: the rows of the layout are padded to 320 bytes.
    let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(317, 200))
        .ok_or_else(|| frameloom::Error::usage("a frame needs at least one pixel"))?;
    let pictures: Vec<Vec<u8>> = (0..3).map(|i| Pattern::Natural { seed: 5, shift: 60 * i }.frame(&layout)).collect();
    let slices: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
    let frames = GpuFrames::from_host(&ctx, "frames", layout, &slices)?;

    // Plan: compile, make buffers, bind by the names in the text.
    let width = layout.size.width;
    let kernel = Kernel::from_source(&ctx, &BRIGHT, "main", &[("WG", 32.0)])?;
    let params =
        GpuBuffer::uniform(&ctx, "params", &[width, layout.first().stride / 4, layout.slot_bytes() / 4, LEVEL])?;
    let bytes = 4 * u64::from(frames.slots());
    let counts = GpuBuffer::new(&ctx, "counts", bytes, BufferUse::Storage)?;
    let bind = kernel.bind(&ctx, &[("params", &params), ("src", frames.buffer()), ("dst_counts", &counts)])?;

    // Run: record and submit. Buffers come from a pool, so what must be zero is cleared.
    let [workgroup, ..] = kernel.workgroup_size();
    let mut rec = Recorder::new(&ctx, "bright pixels");
    rec.clear(&counts, 0, bytes);
    rec.dispatch(&kernel, &bind, [width.div_ceil(4).div_ceil(workgroup), layout.size.height, frames.slots()]);
    rec.run()?;
    let found: Vec<u32> = bytemuck::pod_collect_to_vec(&counts.read(&ctx, bytes)?);

    // The same as a plain loop: the oracle that each operation of the catalogue has, too.
    let expected: Vec<u32> = pictures
        .iter()
        .map(|picture| {
            let rows = picture.chunks(layout.first().stride as usize).take(layout.size.height as usize);
            let pixels = rows.flat_map(|row| row.iter().take(width as usize));
            pixels.filter(|code| u32::from(**code) >= LEVEL).count() as u32
        })
        .collect();
    println!("pixels at or above {LEVEL}: {found:?} on {}, {expected:?} in a plain loop", ctx.caps().name);
    if found != expected {
        return Err(frameloom::Error::Bug("kernel and plain loop differ".into()));
    }
    Ok(())
}
