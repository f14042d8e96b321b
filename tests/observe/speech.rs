//! `sync`, which wants networks and a video of somebody who talks.

use std::path::PathBuf;

use frameloom::core::Progress;
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::pipeline::PipelineOptions;
use frameloom::workflows::sync::run::{
    BatchOptions, BatchResult, SyncConfig, SyncModelFiles, SyncModelNames, SyncOpen, SyncOptions, SyncVideo, sync,
    sync_batch,
};
use frameloom::{Error, Result};

use crate::speech_models::speech_models;
use crate::support::*;

/// The test data, and a folder that lists its models.
fn data(test: &str) -> Option<(PathBuf, tempfile::TempDir)> {
    let Some(root) = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from) else {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
        return None;
    };
    let folder = speech_models(&root);
    Some((root, folder))
}

#[test]
fn sync_goes_on_in_both_passes() {
    let Some((root, models)) = data("sync_goes_on_in_both_passes") else { return };
    let dir = tempfile::tempdir().unwrap();
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    let config = SyncConfig { chunk_duration: 1.0, overlap: 0.0, ..SyncConfig::default() };
    let files = SyncModelFiles::find(&[models.path().to_path_buf()], &SyncModelNames::default(), &config).unwrap();
    let mut networks = files.load(&ctx, None).unwrap();
    let path = root.join("video/grid_concat_gaps.mp4");
    let video = SyncVideo::open(&path, &SyncOpen::default()).unwrap();
    let pipeline = PipelineOptions { batch: 4, ..PipelineOptions::default() };
    let options = SyncOptions { pipeline, ..SyncOptions::default() };
    let mut run = |out: &str, count: &mut Count| {
        sync(&ctx, &video, &mut networks, &dir.path().join(out), &config, &options, count)
    };
    let mut count = Count::default();
    let whole = run("whole", &mut count).unwrap();
    let (faces, lips) = (count.of("faces"), count.of("lips"));
    assert!(faces == whole.frames && lips > 50, "{count:?}");
    let mut heard = Vec::new();
    // In the first pass, then in the second one: what the first call found counts.
    let outcome = stopped_then_whole(&[faces / 2, faces + lips / 2], |count| {
        let ended = run("out", count);
        heard.push((count.of("faces"), count.of("lips")));
        ended
    });
    assert!(heard[0].0 >= faces / 2 && heard[0].1 == 0, "{heard:?}");
    assert!(heard[1].0 == faces && heard[1].1 >= lips / 2, "{heard:?} of {faces} and {lips}");
    assert_eq!(heard[2].0, 0, "all faces are found: {heard:?}");
    assert!(outcome.resumed == faces && !outcome.cached, "{outcome:?}");
    assert!(!options.pipeline.cancel.is_cancelled());
    same(&dir.path().join("whole"), &dir.path().join("out"), &[]);

    // A batch tells its videos apart, and stops as a whole.
    let videos = ["grid_brbk7n.mpg", "grid_lbbc2a.mpg"].map(|name| root.join("video").join(name));
    let batch = BatchOptions { workers: 2, open: SyncOpen::default(), run: options.clone(), shard: None };
    let to = dir.path().join("batch");
    let summary = stopped_then_whole(&[20], |count| {
        let summary = sync_batch(&ctx, &files, &videos, &to, &config, &batch, count)?;
        count.ended.sort_unstable();
        assert_eq!((&count.ended[..], count.done.contains_key(&(1, "faces"))), (&[0, 1][..], true));
        Result::Ok(summary)
    });
    assert_eq!(summary.total_chunks, 2);
    let mut said = 0;
    let no = |_: usize, _: BatchResult| Err(Error::usage("no more"));
    let ended = sync_batch(&ctx, &files, &videos, &to, &config, &batch, &mut (|_: Progress| said += 1, no));
    assert_eq!((ended.unwrap_err().code(), said), ("usage", 0), "all is kept");
}
