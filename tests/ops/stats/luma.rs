use crate::gpu::on_every_adapter;
use frameloom::core::*;
use frameloom::ops::{GpuFrames, stats::luma::*};

fn brute(get: &dyn Fn(i64, i64) -> i64, w: i64, h: i64, dark: i64, bright: i64) -> LumaSums {
    let r = |v: i64, n: i64| {
        if n == 1 {
            0
        } else if v < 0 {
            -v
        } else if v >= n {
            2 * n - 2 - v
        } else {
            v
        }
    };
    let p = |x: i64, y: i64| get(r(x, w), r(y, h));
    let mut s = LumaSums { n: (w * h) as u64, ..Default::default() };
    for y in 0..h {
        for x in 0..w {
            let c = p(x, y);
            s.sum += c as u64;
            s.sum_sq += (c * c) as u64;
            s.dark += (c <= dark) as u64;
            s.bright += (c >= bright) as u64;
            let l = p(x - 1, y) + p(x + 1, y) + p(x, y - 1) + p(x, y + 1) - 4 * c;
            s.lap_sum += l;
            s.lap_sum_sq += (l * l) as u64;
            let col = |d: i64| p(x + d, y - 1) + 2 * p(x + d, y) + p(x + d, y + 1);
            let row = |d: i64| p(x - 1, y + d) + 2 * p(x, y + d) + p(x + 1, y + d);
            let (gx, gy) = (col(1) - col(-1), row(1) - row(-1));
            s.tenengrad_sum += (gx * gx + gy * gy) as u64;
            if x > 0 && y > 0 && x < w - 1 && y < h - 1 {
                let v = |d: i64| p(x + d, y - 1) - 2 * p(x + d, y) + p(x + d, y + 1);
                s.noise_sum += (v(-1) - 2 * v(0) + v(1)).unsigned_abs();
            }
        }
    }
    s
}

#[test]
fn equals_brute_force() {
    on_every_adapter("stats/luma equals brute force", |ctx| {
        for format in [PixelFormat::Gray8, PixelFormat::I420, PixelFormat::I010, PixelFormat::P010] {
            for (w, h) in
                [(1, 1), (3, 3), (4, 3), (17, 1), (1, 17), (15, 5), (16, 40), (77, 55), (123, 66), (176, 113), (33, 41)]
            {
                let layout = FrameLayout::of(format, Size::new(w, h)).unwrap();
                let mut seed = 1u64;
                let frames: Vec<Vec<u8>> = (0..3)
                    .map(|_| {
                        (0..layout.slot_bytes())
                            .map(|_| {
                                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                                (seed >> 56) as u8
                            })
                            .collect()
                    })
                    .collect();
                let refs: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
                let src = GpuFrames::from_host(ctx, "t", layout, &refs).unwrap();
                let got = luma(ctx, &src, LumaParams { dark: 20, bright: 200 }).unwrap();
                let p = *layout.first();
                for (f, g) in frames.iter().zip(&got) {
                    let get = |x: i64, y: i64| {
                        let at = p.offset as usize
                            + y as usize * p.stride as usize
                            + x as usize * p.shape.sample_bytes as usize;
                        if p.shape.sample_bytes == 1 {
                            i64::from(f[at])
                        } else {
                            i64::from((u16::from_le_bytes([f[at], f[at + 1]]) >> format.shift_to_8bit()) & 255)
                        }
                    };
                    assert_eq!(*g, brute(&get, w as i64, h as i64, 20, 200), "{format} {w}x{h}");
                }
            }
        }
    });
}
