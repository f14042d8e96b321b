//! Pictures and clips that the tests make themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::Size;
use frameloom::core::random::pcg4d;
use frameloom::gpu::GpuContext;
use frameloom::media::encode_jpeg;
use frameloom::workflows::collage::{DescriptorConfig, Pool, PoolOptions, PoolReport, Scan, build_pool};

/// A picture that looks like no other: coloured rectangles over a gradient.
pub fn pixels(seed: u32, size: Size) -> Vec<u8> {
    let word = |i: u32| pcg4d([seed, i, 7, 7]);
    let [r, g, b, _] = word(0);
    let mut rgba = Vec::with_capacity(size.area() as usize * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let mut pixel = [(r % 200 + x % 50) as u8, (g % 200 + y % 50) as u8, (b % 200 + (x + y) % 50) as u8, 255];
            for i in 1..9 {
                let [px, py, side, color] = word(i);
                let (left, top) = (px % size.width, py % size.height);
                let (w, h) =
                    (size.width / 12 + side % (size.width / 4), size.height / 12 + side / 256 % (size.height / 4));
                if (left..left + w).contains(&x) && (top..top + h).contains(&y) {
                    let [_, c0, c1, c2] = color.to_le_bytes();
                    pixel = [c0, c1, c2, 255];
                }
            }
            rgba.extend(pixel);
        }
    }
    rgba
}

/// Writes pictures `seeds` as JPEGs of `size` into `folder`.
pub fn pictures(folder: &Path, seeds: std::ops::Range<u32>, size: Size) {
    std::fs::create_dir_all(folder).unwrap();
    for seed in seeds {
        let jpeg = encode_jpeg(size, &pixels(seed, size), 92).unwrap();
        std::fs::write(folder.join(format!("p{seed}.jpg")), jpeg).unwrap();
    }
}

/// Brings the index of `folder` in `index` up to date.
pub fn build(ctx: &GpuContext, folder: &Path, index: &Path, config: &DescriptorConfig) -> PoolReport {
    let options = PoolOptions::default();
    let scan = Scan::of(&[folder.to_path_buf()], true, &options.limits).unwrap();
    build_pool(ctx, scan, index, &config.clone().into(), &options, &mut ()).unwrap()
}

/// The same, and opens it.
pub fn pool(ctx: &GpuContext, folder: &Path, index: &Path, config: &DescriptorConfig) -> Pool {
    build(ctx, folder, index, config);
    Pool::open(index).unwrap()
}

/// A clip made by the `ffmpeg` command.
pub fn clip(folder: &Path, name: &str, input: &[&str], options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let o = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(input).args(options).arg(&path).output();
    let o = o.expect("the ffmpeg command (scripts/setup.sh installs it)");
    assert!(o.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&o.stderr));
    path
}

/// `seconds` of moving test picture with a tone.
pub fn test_clip(folder: &Path, size: &str, rate: &str, seconds: u32) -> PathBuf {
    let (picture, tone) = (
        format!("testsrc2=size={size}:rate={rate}:duration={seconds}"),
        format!("sine=frequency=440:duration={seconds}"),
    );
    clip(
        folder,
        "clip.mp4",
        &["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &tone],
        &["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"],
    )
}

/// A folder of real data, or a loud line.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FRAMELOOM_TESTDATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("NOT RUN (FRAMELOOM_TESTDATA is not set): {test}");
    }
    folder
}

/// What `ffprobe` says of the first stream of a kind, `v` or `a`: duration in seconds and packets.
pub fn probe(path: &Path, kind: &str) -> Option<(f64, u64)> {
    let o = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", &format!("{kind}:0"), "-count_packets"])
        .args(["-show_entries", "stream=duration,nb_read_packets", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&o.stdout).into_owned();
    let (duration, packets) = text.lines().next()?.split_once(',')?;
    Some((duration.parse().ok()?, packets.trim_end_matches(',').parse().ok()?))
}
