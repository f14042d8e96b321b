//! A video rebuilt from the pictures of a folder.
//!
//! ```text
//! cargo run --example 08_collage -- VIDEO FOLDER OUTPUT
//! ```
//! No picture is shown for more than three frames, and the sum of all similarities is the largest that the nearest pictures
//! of each frame allow. Start it again after an interruption: it goes on where it was. Without arguments it makes a small video and
//! a few pictures of its own.

use std::io::Write;
use std::path::{Path, PathBuf};

use frameloom::core::{PixelFormat, Rational, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::{DecodeOptions, Plane, VideoWriter, WriterOptions, encode_jpeg};
use frameloom::store::{OsIo, commit};
use frameloom::workflows::collage::run::{CollageConfig, CollageOptions, CollageVideo, collage};
use frameloom::workflows::collage::select::{Assignment, SelectParams};
use frameloom::workflows::collage::{DescriptorConfig, Pool, PoolOptions, Scan, build_pool};
use frameloom::{Error, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(PathBuf::from);
    let own = std::env::temp_dir().join(format!("frameloom-08-{}", std::process::id()));
    let (video, folder, out) = match (args.next(), args.next(), args.next()) {
        (Some(video), Some(folder), Some(out)) => (video, folder, out),
        _ => made(&own)?,
    };
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let options = CollageOptions::default();
    let opening = DecodeOptions {
        threads: 4,
        limits: options.limits.clone(),
        cancel: options.pipeline.cancel.clone(),
        ..DecodeOptions::default()
    };
    let video = CollageVideo::open(&video, &opening)?;

    // Pictures are compared as they will be shown: cropped to the shape of the video.
    let descriptor = DescriptorConfig { aspect: video.aspect(), ..DescriptorConfig::default() };
    let building = PoolOptions::default();
    let scan = Scan::of(&[folder], true, &building.limits)?;
    let index = out.join("index");
    let report = build_pool(&ctx, scan, &index, &descriptor.clone().into(), &building, &mut ())?;
    println!("{} pictures, {} described now", report.pictures, report.computed);

    let select =
        SelectParams { max_uses: Some(3), assignment: Assignment::Global, recycle: true, ..SelectParams::default() };
    let config = CollageConfig { select, ..CollageConfig::new(descriptor) };
    let outcome = collage(&ctx, video, &Pool::open(&index)?, &out, &config, &options, &mut ())?;
    for reason in outcome.reasons {
        println!("not whole: {reason}");
    }
    println!(
        "{} frames with {} pictures, mean similarity {:.3}: {}",
        outcome.frames,
        outcome.used,
        outcome.total_similarity / outcome.frames.max(1) as f64,
        out.join("report.html").display()
    );
    // What this example made is of no further use.
    let _ = std::fs::remove_dir_all(own);
    Ok(())
}

/// A bright square at `(x, y)` of a picture: rows of R G B A.
fn square(size: Size, x: u32, y: u32) -> Vec<u8> {
    let inside = |i: u32| (x..x + 40).contains(&(i % size.width)) && (y..y + 40).contains(&(i / size.width));
    let pixel = |i: u32| if inside(i) { [240, 220, 90, 255] } else { [(i % size.width) as u8, 40, 80, 255] };
    (0..size.width * size.height).flat_map(pixel).collect()
}

/// A video of a square that wanders, a folder of pictures of squares, and where the collage goes.
fn made(folder: &Path) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let storage = |e| Error::Storage { action: "write", path: folder.to_path_buf(), source: e };
    let (pictures, video) = (folder.join("pictures"), folder.join("square.mp4"));
    std::fs::create_dir_all(&pictures).map_err(storage)?;
    let size = Size::new(192, 108);
    for n in 0..20 {
        let jpeg = encode_jpeg(size, &square(size, n % 5 * 36, n / 5 * 20), 90)?;
        commit(&OsIo, pictures.join(format!("square_{n:02}.jpg")), |w| w.write_all(&jpeg))?;
    }
    let options = WriterOptions::new(size, PixelFormat::Rgba8, Rational { num: 1, den: 12 });
    let mut writer = VideoWriter::create(&video, &options, None)?;
    for n in 0..36u32 {
        let rgba = square(size, n * 4, 20 + n);
        writer.write_frame(&[Plane { data: &rgba, stride: size.width as usize * 4 }], i64::from(n))?;
    }
    writer.finish()?;
    Ok((video, pictures, folder.join("out")))
}
