//! Workflows that make or use pictures: collage and its pool, curate.

use std::path::Path;

use frameloom::Result;
use frameloom::core::{Progress, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::DecodeOptions;
use frameloom::workflows::collage::run::{
    CollageConfig, CollageOptions, CollageVideo, Comparison, MethodResult, collage, compare,
};
use frameloom::workflows::collage::{DescriptorConfig, FeatureMethod, Pool, PoolOptions, PoolReport, Scan, build_pool};
use frameloom::workflows::curate::{CurateConfig, CurateOptions, Inputs, curate};

use crate::support::*;

fn scan(folder: &Path) -> Scan {
    Scan::of(&[folder.to_path_buf()], true, &Default::default()).unwrap()
}

fn pool(ctx: &GpuContext, from: &Path, index: &Path, aspect: [u32; 2], count: &mut Count) -> Result<PoolReport> {
    let descriptor = DescriptorConfig { comparison_size: 64, aspect, ..DescriptorConfig::default() };
    build_pool(ctx, scan(from), index, &descriptor.into(), &PoolOptions { batch: 8, ..PoolOptions::default() }, count)
}

#[test]
fn a_pool_and_a_collage_go_on_where_they_were_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    let path = clip(dir.path(), "clip.mp4", "64x36", 30, 240);
    let open = || CollageVideo::open(&path, &DecodeOptions::default()).unwrap();
    blocks(&dir.path().join("p"), 40, Size::new(96, 64));
    let (pictures, aspect) = (dir.path().join("p"), open().aspect());
    let mut count = Count::default();
    pool(&ctx, &pictures, &dir.path().join("i"), aspect, &mut count).unwrap();
    assert_eq!((count.of("describe"), count.totals[&(0, "describe")]), (40, Some(40)));
    let report =
        stopped_then_whole(&[1, 20, 40], |count| pool(&ctx, &pictures, &dir.path().join("stopped"), aspect, count));
    assert!(report.pictures == 40 && report.reused >= 16, "{report:?}");
    same(&dir.path().join("i"), &dir.path().join("stopped"), &[]);

    let pool = Pool::open(dir.path().join("i")).unwrap();
    let config = CollageConfig::new(pool.descriptor().clone());
    let options = CollageOptions::default();
    let run =
        |out: &str, count: &mut Count| collage(&ctx, open(), &pool, &dir.path().join(out), &config, &options, count);
    let mut count = Count::default();
    run("whole", &mut count).unwrap();
    assert_eq!((count.of("match"), count.of("write")), (240, 240));
    assert_eq!((count.totals[&(0, "match")], count.totals[&(0, "write")]), (Some(240), Some(240)));
    let outcome = stopped_then_whole(&[30, 150, 241, 1], |count| {
        let stop = count.stop;
        let ended = run("out", count);
        // All was matched by the third time, where what is kept counts.
        assert!(stop != Some(1) || (count.of("match") == 0 && count.of("write") > 0), "{count:?}");
        ended
    });
    assert!(!outcome.cached && outcome.resumed == 240, "{outcome:?}");
    assert!(!options.pipeline.cancel.is_cancelled());
    same(&dir.path().join("whole"), &dir.path().join("out"), &[]);
}

#[test]
fn a_comparison_tells_its_methods_apart() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    let path = clip(dir.path(), "clip.mp4", "64x36", 30, 30);
    blocks(&dir.path().join("p"), 12, Size::new(96, 64));
    let opening = DecodeOptions::default();
    let aspect = CollageVideo::open(&path, &opening).unwrap().aspect();
    let base = DescriptorConfig { comparison_size: 64, aspect, ..DescriptorConfig::default() };
    let methods: Vec<_> =
        FeatureMethod::ALL.iter().take(2).map(|m| DescriptorConfig { method: *m, ..base.clone() }).collect();
    let (scan, config) = (scan(&dir.path().join("p")), CollageConfig::new(base));
    let what =
        Comparison { video: &path, opening: &opening, scan: &scan, config: &config, methods: &methods, frames: 5 };
    let (out, options) = (dir.path().join("out"), CollageOptions::default());
    let results = stopped_then_whole(&[14], |count| compare(&ctx, &what, &out, &options, count));
    assert_eq!(results.len(), 2);
    let (mut inputs, mut ends) = (Vec::new(), Vec::new());
    let heard = |p: Progress| inputs.push(p.input);
    let end = |at: usize, r: MethodResult| {
        ends.push((at, r.method));
        Ok(())
    };
    compare(&ctx, &what, &out, &options, &mut (heard, end)).unwrap();
    inputs.dedup();
    assert_eq!(inputs, [0, 1]);
    assert_eq!(ends, [(0, methods[0].method), (1, methods[1].method)]);
}

#[test]
fn curate_keeps_figures_and_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    blocks(&dir.path().join("in"), 24, Size::new(96, 64));
    let video = clip(dir.path(), "clip.mp4", "96x64", 25, 50);
    let options = CurateOptions::default();
    let inputs = Inputs::of(&[dir.path().join("in"), video], None, &options.decode.limits).unwrap();
    let mut config = CurateConfig::default();
    config.decision.near_duplicate_bits = -1;
    let run = |out: &str, count: &mut Count| curate(&ctx, &inputs, &dir.path().join(out), &config, &options, count);
    let mut count = Count::default();
    let whole = run("whole", &mut count).unwrap();
    let (measured, made) = (count.of("measure"), count.of("make"));
    assert_eq!((made, count.totals[&(0, "make")]), (whole.successful as u64, Some(whole.successful as u64)));
    assert!(made > 12, "{whole:?}");
    // In pictures, in the video, and while pictures are made.
    let outcome = stopped_then_whole(&[1, 25, measured + 10], |count| run("out", count));
    assert!(outcome.kept >= 5 && outcome.failed.is_empty(), "{outcome:?}");
    assert!(!options.decode.cancel.is_cancelled());
    same(&dir.path().join("whole"), &dir.path().join("out"), &[]);
}
