//! Is the sound in step with the picture? From lips and loudness, without weights of its own.
//!
//! ```text
//! cargo run --example 12_sync_check                              lips and sound that are made here
//! cargo run --example 12_sync_check -- MODELS VIDEO [FOLDER]     a video
//! ```
//! `MODELS` is a folder with a `models.toml` that lists a face detector and a landmark model (`scripts/data_models.toml` lists public ones).
//! Report, curve and `offsets.txt` are written into `FOLDER`.

use std::path::{Path, PathBuf};

use frameloom::core::Progress;
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::workflows::sync::run::{
    SyncConfig, SyncModelFiles, SyncModelNames, SyncOpen, SyncOptions, SyncVideo, sync,
};
use frameloom::workflows::sync::{LEVEL_RATE, LipMotionOptions, MouthSample, lip_motion};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match args.as_slice() {
        [] => made_here(0.12),
        [models, video, rest @ ..] => of_a_video(models, video, rest.first()),
        _ => Err("wanted: nothing, or a folder of models and a video".into()),
    }
}

/// Lips that open at odd times, and noise that is loud while they are open, `late` seconds later.
fn made_here(late: f64) -> Result<(), Box<dyn std::error::Error>> {
    let open = |t: f64| ((t * 9.0).sin() * (t * t * 1.7).sin() + (t * 23.0).sin() * 0.4).max(0.0);
    let lips: Vec<MouthSample> = (0..150)
        .map(|i| {
            let t = (f64::from(i) + 0.5) / 25.0;
            MouthSample { seconds: t, measures: [0.001 + 0.02 * open(t), 0.04 + 0.02 * open(t)] }
        })
        .collect();
    let mut noise = 1u32;
    let sound: Vec<f32> = (0..6 * LEVEL_RATE)
        .map(|i| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let t = f64::from(i) / f64::from(LEVEL_RATE);
            ((f64::from(noise >> 8) / f64::from(1 << 24) - 0.5) * open(t - late)) as f32
        })
        .collect();
    let found = lip_motion(&lips, &sound, 0.0, &LipMotionOptions::default())?;
    println!("made {:.0} ms late, found {:.0} ms: {:?}", late * 1e3, found.offset * 1e3, found.verdict);
    println!("probability {:.2}, peak {:.2}, margin {:.2}", found.probability, found.peak, found.margin);
    Ok(())
}

fn of_a_video(models: &Path, video: &Path, folder: Option<&PathBuf>) -> Result<(), Box<dyn std::error::Error>> {
    let folder = folder.cloned().unwrap_or_else(|| Path::new("sync_check").into());
    let config = SyncConfig::default();
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let files = SyncModelFiles::find(&[models.to_path_buf()], &SyncModelNames::default(), &config)?;
    // Loaded once, good for any number of videos.
    let mut networks = files.load(&ctx, None)?;
    let opened = SyncVideo::open(video, &SyncOpen::default())?;
    let mut done = (0, "");
    let mut say = |p: Progress| {
        done = (p.done + if done.1 == p.stage { done.0 } else { 0 }, p.stage);
        if done.0.is_multiple_of(100) {
            eprintln!("{}: {} of {:?} frames", p.stage, done.0, p.total);
        }
    };
    let found = sync(&ctx, &opened, &mut networks, &folder, &config, &SyncOptions::default(), &mut say)?;
    println!("{:?}: {:?} ms late, probability {:.2}", found.verdict, found.audio_late_ms, found.probability);
    for reason in found.verdict_reasons.iter().chain(&found.reasons) {
        println!("  {reason}");
    }
    println!("{}", folder.join("report.html").display());
    Ok(())
}
