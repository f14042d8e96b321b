"""Golden vectors of edges/sobel, scharr, laplacian, of sharpness/ and of histogram/gradient_texture."""

import cv2
import numpy as np

from golden import lcg, write

SHAPES = [(33, 17), (17, 1), (1, 17), (3, 3), (2, 2), (1, 1)]
EXACT = "integers"


def edges() -> None:
    for seed, (w, h) in enumerate(SHAPES, 700):
        src = lcg(seed, h, w)
        shape = dict(width=w, height=h, seed=seed)
        for op, of in [("sobel", cv2.Sobel), ("scharr", cv2.Scharr)]:
            gx, gy = of(src, cv2.CV_16S, 1, 0), of(src, cv2.CV_16S, 0, 1)
            magnitude = cv2.add(cv2.convertScaleAbs(gx), cv2.convertScaleAbs(gy))
            norm = np.rint(cv2.magnitude(gx.astype(np.float64), gy.astype(np.float64))).astype(np.int64)
            write(f"edges/{op}", f"{w}x{h}_s{seed}", f"cv2.{of.__name__} CV_16S, add of convertScaleAbs, magnitude (CV_64F)", 0, EXACT,
                  **shape, gx=gx.astype(np.int64), gy=gy.astype(np.int64), magnitude=magnitude, norm=norm)
        lap = cv2.Laplacian(src, cv2.CV_16S)
        write("edges/laplacian", f"{w}x{h}_s{seed}", "cv2.Laplacian CV_16S, convertScaleAbs", 0, EXACT, **shape,
              map=lap.astype(np.int64), magnitude=cv2.convertScaleAbs(lap))


def sharpness() -> None:
    for seed, (w, h) in enumerate([*SHAPES, (4, 5), (50, 37)], 720):
        src = lcg(seed, h, w)
        shape = dict(width=w, height=h, seed=seed)
        lap = cv2.Laplacian(src, cv2.CV_64F)
        gx, gy = cv2.Sobel(src, cv2.CV_64F, 1, 0), cv2.Sobel(src, cv2.CV_64F, 0, 1)
        residual = cv2.absdiff(src, cv2.GaussianBlur(src, (5, 5), 0))
        write("sharpness/laplacian_variance", f"{w}x{h}_s{seed}", "cv2.Laplacian CV_64F, meanStdDev", 0, EXACT, **shape,
              sum=int(lap.sum()), sum_sq=int((lap**2).sum()), variance=cv2.meanStdDev(lap)[1].item() ** 2)
        write("sharpness/tenengrad", f"{w}x{h}_s{seed}", "cv2.Sobel CV_64F", 0, EXACT, **shape, sum=int((gx**2 + gy**2).sum()))
        write("sharpness/noise_residual", f"{w}x{h}_s{seed}", "cv2.GaussianBlur 5x5 (8 bits, sigma 0), absdiff", 0, EXACT, **shape,
              sum=int(residual.sum(dtype=np.int64)))
        for tile in [16, 32]:
            tiles = [lap[y:y + tile, x:x + tile] for y in range(0, h, tile) for x in range(0, w, tile)]
            write("sharpness/blur_map", f"{w}x{h}_t{tile}_s{seed}", "cv2.Laplacian CV_64F, meanStdDev by tiles", 0, EXACT, **shape,
                  tile=tile, n=[t.size for t in tiles], sum=[int(t.sum()) for t in tiles], sum_sq=[int((t**2).sum()) for t in tiles],
                  variance=[cv2.meanStdDev(t)[1].item() ** 2 for t in tiles])


def texture_of(gray: np.ndarray, bins: int) -> np.ndarray:
    """Sobel magnitude scaled by its maximum to 255, histogram over 0..256 as shares."""
    gx, gy = cv2.Sobel(gray, cv2.CV_64F, 1, 0, ksize=3), cv2.Sobel(gray, cv2.CV_64F, 0, 1, ksize=3)
    magnitude = np.sqrt(gx**2 + gy**2)
    scaled = magnitude / magnitude.max() * 255 if magnitude.max() > 0 else magnitude
    counts = cv2.calcHist([scaled.astype(np.float32)], [0], None, [bins], [0, 256]).ravel()
    return counts.astype(np.float64) / counts.sum()


def frames() -> dict[str, np.ndarray]:
    """Pictures by formula, B, G, R; the test makes the same."""
    y, x = np.mgrid[0:256, 0:384]
    squares = (x // 16 + y // 16) % 2
    v, u = np.mgrid[0:512, 0:512]

    def shape(background, inside, colour):
        out = np.empty((512, 512, 3), np.uint8)
        out[:] = background
        out[inside] = colour
        return out

    def disc(radius):
        return (u - 256) ** 2 + (v - 256) ** 2 <= radius**2

    return {
        "gradient": np.dstack([255 * x // 383, 255 * y // 255, 255 * (x + y) // 638]).astype(np.uint8),
        "checker": np.dstack([squares * 200 + 20] * 3).astype(np.uint8),
        "dark_checker": np.dstack([squares * 20 + 10] * 3).astype(np.uint8),
        "lcg_noise": lcg(12345, 256, 384, 3),
        "disc": shape((200, 210, 220), disc(100), (100, 100, 100)),
        "flat": shape((150, 150, 150), disc(0), (150, 150, 150)),
        "square": shape((180, 190, 200), (u >= 100) & (u <= 400) & (v >= 100) & (v <= 400), (120, 120, 120)),
        "mid_disc": shape((128, 120, 110), disc(90), (70, 90, 150)),
    }


def texture() -> None:
    op = "histogram/gradient_texture"
    source = "cv2.Sobel CV_64F, magnitude / max * 255, calcHist over 0..256"
    for seed, (w, h) in enumerate([*SHAPES, (50, 37)], 740):
        for bins in [32, 64]:
            write(op, f"{w}x{h}_b{bins}_s{seed}", source, 1e-9, "float shares", width=w, height=h, seed=seed, bins=bins,
                  out=texture_of(lcg(seed, h, w), bins))
    for name, frame in frames().items():
        h, w = frame.shape[:2]
        crop = w * 9 // 16
        top = (h - crop) // 2
        small = cv2.resize(frame[top:top + crop], (256, 144), interpolation=cv2.INTER_AREA)
        write(op, f"frame_{name}_b32", f"crop to 16:9, cv2.resize INTER_AREA to 256x144, cvtColor, {source}", 1e-4,
              "one count of 36 864 is 2.7e-5: pixels of the resize that differ by rounding", width=w, height=h, frame=name, bins=32,
              out=texture_of(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 32))


def generate() -> None:
    edges()
    sharpness()
    texture()
