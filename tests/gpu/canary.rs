//! The loop limit of the software adapter, which every kernel is designed around.

use crate::gpu::on_every_adapter;
use frameloom::gpu::{GpuBuffer, GpuContext, Kernel, KernelSource, Recorder};

const TEXT: &str = "
@group(0) @binding(0) var<storage, read> src_steps: array<u32>;
@group(0) @binding(1) var<storage, read_write> dst_counts: array<u32>;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    var count = 0u;
    var state = i;
    for (var k = 0u; k < src_steps[0]; k++) {
        state = state * 1664525u + 1013904223u;
        count++;
    }
    dst_counts[2u * i] = count;
    dst_counts[2u * i + 1u] = state;
}
";

/// Steps counted, and the state of the generator after them, for each of 8 lanes.
fn run(ctx: &GpuContext, steps: u32) -> Vec<(u32, u32)> {
    let source = KernelSource { name: "test/canary", text: TEXT, map: &[] };
    let kernel = Kernel::from_source(ctx, &source, "main", &[]).unwrap();
    let src = GpuBuffer::with_data(ctx, "steps", &steps.to_le_bytes()).unwrap();
    let dst = GpuBuffer::with_data(ctx, "counts", &[0xFF; 64]).unwrap();
    let bind = kernel.bind(ctx, &[("src_steps", &src), ("dst_counts", &dst)]).unwrap();
    let mut rec = Recorder::new(ctx, "canary");
    rec.dispatch(&kernel, &bind, [1, 1, 1]);
    rec.run().unwrap();
    let bytes = dst.read(ctx, 64).unwrap();
    let word = |i: usize| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap());
    (0..8).map(|i| (word(2 * i), word(2 * i + 1))).collect()
}

fn want(steps: u32) -> Vec<(u32, u32)> {
    let last = |lane: u32| (0..steps).fold(lane, |s, _| s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    (0..8).map(|lane| (steps, last(lane))).collect()
}

/// What every kernel's head comment promises is safe.
#[test]
fn loops_of_32768_steps_are_run_to_the_end() {
    on_every_adapter("32,768 loop steps", |ctx| {
        for steps in [0, 1, 1000, 32_768] {
            assert_eq!(run(ctx, steps), want(steps), "{steps} steps");
        }
    });
}

/// The software adapter ends loops after 65,535 steps without an error. When this test says that it does not any more, the rule of
/// 32,768 steps may be lifted; until then it shows that the limit is real.
#[test]
fn loops_of_65536_steps_are_cut_on_software_adapters() {
    on_every_adapter("65,536 loop steps", |ctx| {
        let right = run(ctx, 65_536) == want(65_536);
        if ctx.caps().is_software() {
            if right {
                eprintln!(
                    "LIMIT LIFTED: {} ({}) runs 65,536 loop steps: the rule of 32,768 steps may go",
                    ctx.caps().name,
                    ctx.caps().driver
                );
            }
        } else {
            assert!(right, "hardware cuts loops as well");
        }
    });
}
