//! A folder of pictures into a training set: what is done with each, and why.
//!
//! ```text
//! cargo run --example 11_curate_folder -- FOLDER OUTPUT
//! ```
//! Start it again with other settings: what was measured is not measured again, and only frames that are decided otherwise get new pictures.
//! Without arguments it makes a few pictures of its own.

use std::io::Write;
use std::path::{Path, PathBuf};

use frameloom::core::Size;
use frameloom::core::random::pcg4d;
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::encode_jpeg;
use frameloom::store::{OsIo, commit};
use frameloom::workflows::curate::{
    ANALYSIS, CurateConfig, CurateOptions, FrameMetrics, Inputs, Strategy, StrategyFrame, StrategyPicture, curate,
    explain, read_ledger,
};
use frameloom::{Error, Result};

/// A strategy of our own: frames with much contrast, without colour.
#[derive(Debug)]
struct Gray;

impl Strategy for Gray {
    fn name(&self) -> &str {
        "gray"
    }

    fn version(&self) -> String {
        "1".into()
    }

    fn target(&self) -> f64 {
        0.15
    }

    fn fit(&self, m: &FrameMetrics) -> Result<f64, String> {
        let margin = m.contrast - 0.1;
        if margin > 0.0 { Ok(margin) } else { Err(format!("contrast is too low: {:.2}", m.contrast)) }
    }

    fn make(&self, frame: &StrategyFrame<'_>) -> Result<Vec<StrategyPicture>> {
        let gray = |p: &[u8; 4]| {
            let v = ((u32::from(p[0]) * 3 + u32::from(p[1]) * 6 + u32::from(p[2])) / 10) as u8;
            [v, v, v, p[3]]
        };
        let rgba = frame.rgba.as_chunks::<4>().0.iter().flat_map(gray).collect();
        Ok(vec![StrategyPicture::new("_gray", frame.size, rgba).caption("an old photograph")])
    }
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(PathBuf::from);
    let own = std::env::temp_dir().join(format!("frameloom-11-{}", std::process::id()));
    let (folder, out) = match (args.next(), args.next()) {
        (Some(folder), Some(out)) => (folder, out),
        _ => made(&own)?,
    };
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let options = CurateOptions::default();

    // A third of the frames covered on purpose, none repaired.
    let mut config = CurateConfig::default();
    config.strategy_targets.create_occlusion = 0.33;
    config.strategies.enhance_segment.enabled = false;
    config.own_strategies.add(Gray);
    config.layouts.formats = vec!["kohya".into()];
    config.layouts.trigger = "ohwx".into();

    let inputs = Inputs::of(&[folder], None, &options.decode.limits)?;
    let outcome = curate(&ctx, &inputs, &out, &config, &options, &mut ())?;
    for line in &outcome.mix.lines {
        println!(
            "{:<18} {:>3} frames, {:.0} % of {:.0} % {}",
            line.strategy,
            line.frames,
            line.share * 100.0,
            line.target * 100.0,
            line.why
        );
    }
    for (frame, why) in &outcome.failed {
        println!("failed: {frame}: {why}");
    }
    // Why one of them was decided as it was, from the ledger alone.
    let ledger = read_ledger(&out.join(ANALYSIS).join("ledger.jsonl"))?;
    if let Some(name) = ledger.first().and_then(|row| row.get("name")).and_then(|n| n.as_str()) {
        print!("{}", explain(&ledger, name)?);
    }
    println!("{} frames with pictures: {}", outcome.successful, out.join("review.html").display());
    if own.exists() {
        std::fs::remove_dir_all(&own).map_err(|e| Error::storage("remove", &own, e))?;
    }
    Ok(())
}

/// Pictures of blocks, finer and finer, and a folder for the result.
fn made(own: &Path) -> Result<(PathBuf, PathBuf)> {
    let folder = own.join("frames");
    std::fs::create_dir_all(&folder).map_err(|e| Error::storage("create", &folder, e))?;
    let size = Size::new(256, 192);
    for n in 0..12u32 {
        let side = 8 + 10 * (n % 4);
        let pixel = |i: u32| {
            let [r, g, b, _] = pcg4d([n, i % size.width / side, i / size.width / side, 7])[0].to_le_bytes();
            [128 + r / 4, 110 + g / 4, 100 + b / 3, 255]
        };
        let rgba: Vec<u8> = (0..size.area() as u32).flat_map(pixel).collect();
        let jpeg = encode_jpeg(size, &rgba, 92)?;
        commit(&OsIo, folder.join(format!("frame_{n:04}.jpg")), |w| w.write_all(&jpeg))?;
    }
    Ok((folder, own.join("out")))
}
