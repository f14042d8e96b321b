//! Kernels are bound by name and refused by name; a recorder checks what it records.

use crate::gpu::on_every_adapter;
use crate::own;
use frameloom::gpu::{BufferUse, GpuBuffer, GpuContext, Kernel, KernelSource, Profile, Recorder};
use frameloom::{Error, GpuError};
use std::time::Instant;

const TEXT: &str = "
override WG: u32 = 8u;
@group(0) @binding(0) var<storage, read> src_words: array<u32>;
@group(0) @binding(1) var<storage, read_write> dst_words: array<u32>;
@compute @workgroup_size(WG)
fn copy_words(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&dst_words)) {
        dst_words[id.x] = src_words[id.x];
    }
}
@compute @workgroup_size(WG)
fn work_long(@builtin(global_invocation_id) id: vec3<u32>) {
    var state = id.x;
    for (var k = 0u; k < 32768u; k++) {
        state = state * 1664525u + 1013904223u;
    }
    if (state == 1u) {
        dst_words[0] = state;
    }
}
";
const SOURCE: KernelSource = KernelSource { name: "test/copy", text: TEXT, map: &[(1, "test/copy.wgsl", 1)] };

fn buffer(ctx: &GpuContext) -> GpuBuffer {
    GpuBuffer::new(ctx, "t", 256, BufferUse::Storage).unwrap()
}

fn bug(r: frameloom::Result<impl std::fmt::Debug>) -> String {
    match r {
        Err(Error::Bug(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_names_are_named() {
    on_every_adapter("kernel names", |ctx| {
        let new = |entry, constants: &[(&str, f64)]| Kernel::from_source(ctx, &SOURCE, entry, constants);
        assert!(bug(new("nothing", &[])).contains("no entry point `nothing`"));
        assert!(bug(new("copy_words", &[("ROWS", 1.0)])).contains("no override `ROWS`"));
        assert!(bug(Kernel::new(ctx, "no/kernel", "main", &[])).contains("no kernel `no/kernel`"));
        let kernel = new("copy_words", &[("WG", 16.0)]).unwrap();
        assert_eq!(kernel.workgroup_size(), [16, 1, 1]);
        let (a, b) = (buffer(ctx), buffer(ctx));
        assert!(
            bug(kernel.bind(ctx, &[("src_words", &a)])).contains("binding `dst_words` of `copy_words` was not given")
        );
        let three = [("src_words", &a), ("dst_words", &b), ("dst_more", &b)];
        assert!(bug(kernel.bind(ctx, &three)).contains("no binding `dst_more`"));
    });
}

#[test]
fn a_text_that_does_not_parse_names_its_file_and_line() {
    on_every_adapter("broken kernel text", |ctx| {
        let source =
            KernelSource { name: "test/broken", text: "\nfn main() { oops }", map: &[(1, "test/broken.wgsl", 1)] };
        let message = bug(Kernel::from_source(ctx, &source, "main", &[]));
        assert!(message.contains("kernels/test/broken.wgsl:2"), "{message}");
    });
}

#[test]
fn workgroups_beyond_the_device_are_refused() {
    on_every_adapter("workgroup limits", |ctx| {
        let too_many = f64::from(ctx.caps().max_invocations) * 2.0;
        let r = Kernel::from_source(ctx, &SOURCE, "copy_words", &[("WG", too_many)]);
        assert!(matches!(r, Err(Error::Gpu(GpuError::Unsupported { .. }))), "{r:?}");
        let kernel = Kernel::from_source(ctx, &SOURCE, "copy_words", &[]).unwrap();
        let bind = kernel.bind(ctx, &[("src_words", &buffer(ctx)), ("dst_words", &buffer(ctx))]).unwrap();
        let mut rec = Recorder::new(ctx, "t");
        rec.dispatch(&kernel, &bind, [ctx.caps().max_workgroups + 1, 1, 1]);
        assert!(matches!(rec.submit(), Err(Error::Gpu(GpuError::Unsupported { .. }))));
        let mut rec = Recorder::new(ctx, "t");
        rec.dispatch(&kernel, &bind, [4, 0, 1]);
        assert_eq!(rec.dispatches(), 0);
        rec.run().unwrap();
    });
}

#[test]
fn dispatches_are_timed_on_the_device() {
    on_every_adapter("profile", |ctx| {
        let kernel = Kernel::from_source(ctx, &SOURCE, "work_long", &[]).unwrap();
        let bind = kernel.bind(ctx, &[("dst_words", &buffer(ctx))]).unwrap();
        let profile = Profile::new(ctx).unwrap();
        assert_eq!(profile.is_some(), ctx.caps().timestamps);
        let Some(mut profile) = profile else { return };
        let start = Instant::now();
        let mut rec = Recorder::new(ctx, "t").with_profile(&mut profile);
        for groups in [16, 1600] {
            rec.dispatch(&kernel, &bind, [groups, 1, 1]);
        }
        rec.run().unwrap();
        let entries = profile.take(ctx).unwrap();
        let elapsed = start.elapsed().as_nanos() as u64;
        assert_eq!(entries.iter().map(|e| e.label).collect::<Vec<_>>(), ["test/copy"; 2]);
        assert!(entries.iter().all(|e| e.nanos > 0) && entries.iter().map(|e| e.nanos).sum::<u64>() <= elapsed);
        assert!(profile.take(ctx).unwrap().is_empty());
        if ctx.caps().is_software() {
            assert!(entries[1].nanos > 2 * entries[0].nanos, "a hundred times the work takes longer: {entries:?}");
        }
    });
}

#[test]
fn a_profile_has_room_for_every_dispatch() {
    on_every_adapter("long profile", |ctx| {
        let kernel = Kernel::from_source(ctx, &SOURCE, "copy_words", &[]).unwrap();
        let bind = kernel.bind(ctx, &[("src_words", &buffer(ctx)), ("dst_words", &buffer(ctx))]).unwrap();
        let Some(mut profile) = Profile::new(ctx).unwrap() else { return };
        for dispatches in [128, 129, 500, 3] {
            let mut rec = Recorder::new(ctx, "t").with_profile(&mut profile);
            for _ in 0..dispatches {
                rec.dispatch(&kernel, &bind, [1, 1, 1]);
            }
            rec.run().unwrap();
            let entries = profile.take(ctx).unwrap();
            assert_eq!(entries.len(), dispatches);
            assert!(entries.iter().all(|e| e.nanos < 10_000_000_000), "{entries:?}");
        }
    });
}

#[test]
fn what_is_never_submitted_leaves_nothing_in_a_profile() {
    on_every_adapter("profile of nothing", |ctx| {
        let kernel = Kernel::from_source(ctx, &SOURCE, "copy_words", &[]).unwrap();
        let bind = kernel.bind(ctx, &[("src_words", &buffer(ctx)), ("dst_words", &buffer(ctx))]).unwrap();
        let Some(mut profile) = Profile::new(ctx).unwrap() else { return };
        let mut rec = Recorder::new(ctx, "t").with_profile(&mut profile);
        rec.dispatch(&kernel, &bind, [1, 1, 1]);
        drop(rec);
        let mut rec = Recorder::new(ctx, "t").with_profile(&mut profile);
        rec.dispatch(&kernel, &bind, [1, 1, 1]);
        rec.dispatch(&kernel, &bind, [ctx.caps().max_workgroups + 1, 1, 1]);
        assert!(rec.submit().is_err());
        assert!(profile.take(ctx).unwrap().is_empty());
        let mut rec = Recorder::new(ctx, "t").with_profile(&mut profile);
        rec.dispatch(&kernel, &bind, [1, 1, 1]);
        rec.run().unwrap();
        assert_eq!(profile.take(ctx).unwrap().len(), 1);
    });
}

/// A poll of one thread may take the callback of another one's mapping, and run it only after that one's own wait is over.
#[test]
fn threads_that_share_a_device_read_their_own_times() {
    on_every_adapter("profile, many threads", |ctx| {
        if !ctx.caps().timestamps {
            return;
        }
        std::thread::scope(|threads| {
            for _ in 0..6 {
                threads.spawn(|| {
                    let kernel = Kernel::from_source(ctx, &SOURCE, "copy_words", &[]).unwrap();
                    let bind = kernel.bind(ctx, &[("src_words", &buffer(ctx)), ("dst_words", &buffer(ctx))]).unwrap();
                    let mut profile = Profile::new(ctx).unwrap().unwrap();
                    for _ in 0..100 {
                        let mut rec = Recorder::new(ctx, "t").with_profile(&mut profile);
                        rec.dispatch(&kernel, &bind, [4, 1, 1]);
                        rec.run().unwrap();
                        assert_eq!(profile.take(ctx).unwrap().len(), 1);
                    }
                });
            }
        });
    });
}

#[test]
fn a_wait_ends_at_its_deadline() {
    on_every_adapter("timeout", |shared| {
        let ctx = own(shared, |o| o.timeout_millis = 1);
        let kernel = Kernel::from_source(&ctx, &SOURCE, "work_long", &[]).unwrap();
        let bind = kernel.bind(&ctx, &[("dst_words", &buffer(&ctx))]).unwrap();
        let mut rec = Recorder::new(&ctx, "t");
        rec.dispatch(&kernel, &bind, [2000, 1, 1]);
        let submission = rec.submit().unwrap();
        match submission.wait(&ctx) {
            Err(e @ Error::Gpu(GpuError::Timeout { millis: 1, .. })) => assert!(e.retryable()),
            // A fast card is done in time.
            Ok(()) => assert!(!ctx.caps().is_software()),
            Err(e) => panic!("{e}"),
        }
        // Late is not lost: the same submission can be waited for again.
        let start = Instant::now();
        while submission.wait(&ctx).is_err() {
            assert!(start.elapsed().as_secs() < 60, "never done");
        }
    });
}
