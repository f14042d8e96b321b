"""Golden vectors of stats/, histogram/luma, motion/frame_difference, heatmap/accumulate."""

import cv2
import numpy as np

from golden import lcg, write


NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)


def statistics() -> None:
    exact = "integer sums"
    for seed, (w, h) in enumerate([(33, 17), (64, 48), (17, 1), (1, 17), (3, 3), (2, 2), (1, 1)], 60):
        src = lcg(seed, h, w)
        lap = cv2.Laplacian(src, cv2.CV_64F)
        gx, gy = cv2.Sobel(src, cv2.CV_64F, 1, 0, ksize=3), cv2.Sobel(src, cv2.CV_64F, 0, 1, ksize=3)
        noise = np.abs(cv2.filter2D(src, cv2.CV_64F, NOISE))[1:-1, 1:-1].sum()
        (mean, sd), (_, lap_sd) = cv2.meanStdDev(src), cv2.meanStdDev(lap)
        wide = src.astype(np.int64)
        write("stats/luma", f"{w}x{h}_s{seed}", "cv2.Laplacian, Sobel, filter2D (CV_64F), meanStdDev", 0, exact,
              width=w, height=h, seed=seed, dark_code=40, bright_code=200, sum=int(wide.sum()), sum_sq=int((wide**2).sum()),
              lap_sum=int(lap.sum()), lap_sum_sq=int((lap**2).sum()), tenengrad_sum=int((gx**2 + gy**2).sum()),
              noise_sum=int(noise), dark=int((src <= 40).sum()), bright=int((src >= 200).sum()),
              mean=mean.item(), variance=sd.item() ** 2, laplacian_variance=lap_sd.item() ** 2)
        for bins, step in [(256, 1), (32, 1), (100, 3), (2, 2)]:
            hist = cv2.calcHist([np.ascontiguousarray(src[::step])], [0], None, [bins], [0, 256]).astype(np.int64)
            if h > 1 or step == 1:
                write("histogram/luma", f"{w}x{h}_b{bins}_step{step}_s{seed}", "cv2.calcHist", 0, exact, width=w, height=h,
                      seed=seed, bins=bins, row_step=step, out=hist)
        for threshold in [0, 30, 254]:
            d = cv2.absdiff(src, lcg(seed + 1000, h, w))
            write("motion/frame_difference", f"{w}x{h}_t{threshold}_s{seed}", "cv2.absdiff", 0, exact, width=w, height=h,
                  seed=seed, threshold=threshold, sum_abs=int(d.sum(dtype=np.int64)), over=int((d > threshold).sum()),
                  sum_both=int(cv2.add(src, lcg(seed + 1000, h, w), dtype=cv2.CV_32S).sum(dtype=np.int64)))
    w, h, seed, count = 17, 9, 80, 6
    frames = [lcg(seed + t, h, w) for t in range(count)]
    for mode, threshold in [("count-over", 30), ("sum-abs", 0), ("sum-values", 0)]:
        heat = np.zeros((h, w), np.float64)
        for t, frame in enumerate(frames):
            d = cv2.absdiff(frame, frames[t - 1]) if t else np.zeros_like(frame)
            step = {"count-over": cv2.threshold(d, threshold, 1, cv2.THRESH_BINARY)[1], "sum-abs": d, "sum-values": frame}[mode]
            cv2.accumulate(step, heat)
        write("heatmap/accumulate", f"{mode}_{w}x{h}_n{count}_s{seed}", "cv2.absdiff, threshold, accumulate (CV_64F)", 0, exact,
              width=w, height=h, seed=seed, frames=count, mode=mode, threshold=threshold, out=heat.astype(np.int64))


def generate() -> None:
    statistics()
