//! Edge pictures and planes that the tests of several operations use.

use crate::table::Trial;
use frameloom::core::Size;
use frameloom::gpu::GpuContext;
use frameloom::ops::edges::BitPlanes;
use frameloom::reference::{Plane, edges::canny::canny as reference};

/// Edge maps of the pictures of a trial, 0 or 255 a pixel.
pub fn edges_of(trial: &Trial, low: u16, high: u16) -> Vec<(Size, Vec<u8>)> {
    trial
        .lumas()
        .map(|(size, luma)| (size, reference(&Plane::tight(size, &luma).unwrap(), low, high).unwrap()))
        .collect()
}

/// Edge maps as bits on the device: operations on edges are tried without compiling and running Canny each time.
pub fn planes_of(ctx: &GpuContext, edges: &[(Size, Vec<u8>)]) -> BitPlanes {
    let planes: Vec<(Size, &[u8])> = edges.iter().map(|(size, map)| (*size, map.as_slice())).collect();
    BitPlanes::from_host(ctx, "test", &planes).unwrap()
}

/// One-pixel lines and noise that make hysteresis work hard: weak pixels, and strong ones.
pub fn shapes(size: Size) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let (w, h) = (size.width as usize, size.height as usize);
    let paint =
        |on: &dyn Fn(usize, usize) -> bool| -> Vec<u8> { (0..w * h).map(|i| u8::from(on(i % w, i / w))).collect() };
    let wave = |i: usize, n: usize| if n < 2 { 0 } else { (i % (2 * n - 2)).min(2 * n - 2 - i % (2 * n - 2)) };
    let noise = |seed: u64, share: u64| {
        paint(&move |x, y| {
            frameloom::reference::pattern::splitmix64(seed << 40 ^ (y as u64) << 20 ^ x as u64) >> 32
                < share * (1 << 32) / 1000
        })
    };
    // The first weak pixel of a line is strong.
    let first = |weak: &[u8]| {
        let at = weak.iter().position(|v| *v != 0);
        (0..weak.len()).map(|i| u8::from(Some(i) == at)).collect::<Vec<u8>>()
    };
    let last = |weak: &[u8]| {
        let at = weak.iter().rposition(|v| *v != 0);
        (0..weak.len()).map(|i| u8::from(Some(i) == at)).collect::<Vec<u8>>()
    };
    let mut out = Vec::new();
    let lines = [
        ("diagonal", paint(&|x, y| x == wave(y, w))),
        ("rising diagonal", paint(&|x, y| w - 1 - x == wave(y, w))),
        ("zigzag", paint(&|x, y| y == wave(x, h))),
        ("row", paint(&|_, y| y == h / 2)),
        ("column", paint(&|x, _| x == w / 2)),
        ("snake", paint(&|x, y| y % 2 == 0 || x == if y % 4 == 1 { w - 1 } else { 0 })),
        ("spiral", spiral(w, h)),
    ];
    for (name, weak) in lines {
        out.push((name, weak.clone(), first(&weak)));
        out.push((name, weak.clone(), last(&weak)));
    }
    for (seed, share) in [(1, 300), (2, 410), (3, 450), (4, 700)] {
        out.push(("noise", noise(seed, share), noise(seed + 10, 3)));
    }
    out
}

/// A line one pixel wide that winds inwards, with gaps of one pixel.
fn spiral(w: usize, h: usize) -> Vec<u8> {
    let mut on = vec![0u8; w * h];
    let (mut x, mut y, mut dx, mut dy) = (0i64, 0i64, 1i64, 0i64);
    let (w, h) = (w as i64, h as i64);
    let mut turns = 0;
    while turns < 2 {
        on[(y * w + x) as usize] = 1;
        let free = |steps: i64, dx: i64, dy: i64| {
            let (u, v) = (x + steps * dx, y + steps * dy);
            !(0..w).contains(&u) || !(0..h).contains(&v) || on[(v * w + u) as usize] == 0
        };
        let inside = (0..w).contains(&(x + dx)) && (0..h).contains(&(y + dy));
        if inside && free(1, dx, dy) && free(2, dx, dy) {
            (x, y) = (x + dx, y + dy);
            turns = 0;
        } else {
            (dx, dy) = (-dy, dx);
            turns += 1;
        }
    }
    on
}
