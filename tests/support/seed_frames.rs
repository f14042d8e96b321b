//! The nine frames that the golden data of the systems before this one were made from, by formula.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]

use frameloom::core::Size;
use frameloom::reference::color::gray_from_rgb::gray_of;
use frameloom::reference::pattern::lcg_bytes;

/// Names of the frames.
pub const SEED_FRAMES: [&str; 9] = [
    "gradient",
    "checker",
    "dark_checker",
    "lcg_noise",
    "test_frame_0000",
    "test_frame_0002",
    "test_frame_0003",
    "test_frame_0004",
    "mid_circle",
];

/// Size and pixels (R, G, B) of the frame called `name`.
pub fn seed_frame(name: &str) -> (Size, Vec<[u8; 3]>) {
    let (w, h) = match name {
        "gradient" | "checker" | "dark_checker" | "lcg_noise" => (384, 256),
        _ => (512, 512),
    };
    let noise = lcg_bytes(12345, w * h * 3);
    let disk = |x: usize, y: usize, r: i64| (x as i64 - 256).pow(2) + (y as i64 - 256).pow(2) <= r * r;
    let pixel = |x: usize, y: usize| -> [usize; 3] {
        let odd = (x / 16 + y / 16) % 2;
        match name {
            "gradient" => [255 * x / 383, 255 * y / 255, 255 * (x + y) / 638],
            "checker" => [200 * odd + 20; 3],
            "dark_checker" => [20 * odd + 10; 3],
            "lcg_noise" => [0, 1, 2].map(|c| usize::from(noise[(y * w + x) * 3 + c])),
            "test_frame_0000" if disk(x, y, 100) => [100; 3],
            "test_frame_0000" => [200, 210, 220],
            "test_frame_0002" => [150; 3],
            "test_frame_0003" if (100..=400).contains(&x) && (100..=400).contains(&y) => [120; 3],
            "test_frame_0003" => [180, 190, 200],
            "test_frame_0004" => [210, 220, 230],
            "mid_circle" if disk(x, y, 90) => [70, 90, 150],
            "mid_circle" => [128, 120, 110],
            other => panic!("no frame {other}"),
        }
    };
    let bgr = (0..w * h).map(|i| pixel(i % w, i / w).map(|v| v as u8));
    (Size::new(w as u32, h as u32), bgr.map(|[b, g, r]| [r, g, b]).collect())
}

/// Size and grey of the frame called `name`.
pub fn seed_gray(name: &str) -> (Size, Vec<u8>) {
    let (size, pixels) = seed_frame(name);
    (size, pixels.into_iter().map(gray_of).collect())
}
