//! Which pictures of a folder look most like a given one?
//!
//! ```text
//! cargo run --example 05_search -- FOLDER PICTURE [INDEX]
//! ```
//! Describes the pictures of a folder on the GPU, keeps the descriptors in an index on disk (only new pictures are described the next
//! time), and looks up one picture. Without arguments it makes a few pictures of its own.

use std::io::Write;
use std::path::PathBuf;

use frameloom::Result;
use frameloom::core::{Limits, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::index::IndexOptions;
use frameloom::media::encode_jpeg;
use frameloom::store::{OsIo, commit};
use frameloom::workflows::collage::{DescriptorConfig, FeatureMethod, Pool, PoolOptions, Scan, build_pool};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(PathBuf::from);
    let own = std::env::temp_dir().join(format!("frameloom-05-{}", std::process::id()));
    let (folder, picture) = match (args.next(), args.next()) {
        (Some(folder), Some(picture)) => (folder, picture),
        _ => stripes(&own)?,
    };
    let index = args.next().unwrap_or_else(|| own.join("index"));

    let ctx = GpuContext::new(&GpuOptions::default())?;
    // Structure and colour count alike; see `DescriptorConfig` for the other settings.
    let descriptor = DescriptorConfig { method: FeatureMethod::Canny, aspect: [4, 3], ..DescriptorConfig::default() };
    let options = PoolOptions::default();
    let scan = Scan::of(&[folder], true, &options.limits)?;
    let report = build_pool(&ctx, scan, &index, &descriptor.into(), &options, &mut ())?;
    println!(
        "{} pictures, {} described now, {} cannot be used",
        report.pictures,
        report.computed,
        report.unusable.len()
    );

    let pool = Pool::open(&index)?;
    let (search, _) = pool.index(&pool.search_spec()?, &IndexOptions { gpu: Some(&ctx), threads: None })?;
    let query = pool.describe(&ctx, &[picture], &options.networks, &Limits::default())?;
    for found in pool.search(search.as_ref(), &query, 5)?.into_iter().flatten() {
        println!("{:.4}  {}", found.score, found.path);
    }
    // What this example made is of no further use.
    let _ = std::fs::remove_dir_all(own);
    Ok(())
}

/// Pictures of stripes of different widths, and one of them.
fn stripes(folder: &std::path::Path) -> Result<(PathBuf, PathBuf)> {
    let storage = |e| frameloom::Error::Storage { action: "write", path: folder.to_path_buf(), source: e };
    let pictures = folder.join("pictures");
    std::fs::create_dir_all(&pictures).map_err(storage)?;
    let size = Size::new(160, 120);
    let file = |width: u32| pictures.join(format!("stripes_{width:02}.jpg"));
    for width in 3..20 {
        let pixel = |i: u32| {
            if (i % size.width / width).is_multiple_of(2) {
                [230, 200, (width * 12) as u8, 255]
            } else {
                [20, 40, 60, 255]
            }
        };
        let rgba: Vec<u8> = (0..size.width * size.height).flat_map(pixel).collect();
        let jpeg = encode_jpeg(size, &rgba, 90)?;
        commit(&OsIo, file(width), |w| w.write_all(&jpeg))?;
    }
    let one = file(9);
    Ok((pictures, one))
}
