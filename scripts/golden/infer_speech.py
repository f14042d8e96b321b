"""Silero on the speech of the test data: probability of every window, and the segments that follow from them."""

import subprocess
import wave

import numpy as np
from infer_pictures import DATA, sha256

WINDOW, CONTEXT, RATE = 512, 64, 16000


def wav(path) -> np.ndarray:
    with wave.open(str(path)) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768


def sound_of(path) -> np.ndarray:
    """First audio track as 16 kHz mono, by the ffmpeg program (swresample's defaults)."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a:0", "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<f4")


def probabilities(m, samples: np.ndarray) -> np.ndarray:
    """One per 512 new samples, each window preceded by the 64 before it; the last one is filled with zeros."""
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
    out = []
    for start in range(0, len(samples), WINDOW):
        window = samples[start : start + WINDOW]
        window = np.pad(window, (0, WINDOW - len(window)))
        r = m(np.concatenate([context, window])[None].astype(np.float32), state=state, sr=np.array(RATE, np.int64))
        out.append(float(r["output"][0, 0]))
        state, context = r["stateN"], window[-CONTEXT:]
    return np.array(out)


def segments(probability, length, threshold=0.5, low=0.35, speech_ms=250, silence_ms=100, pad_ms=30):
    """(first, last) sample of each run of speech.

    Speech begins at `threshold` and ends where the probability has stayed below `low` for `silence_ms`; runs shorter than `speech_ms`
    go; each side grows by `pad_ms`, or by half of the gap where two would touch.
    """
    at = lambda ms: ms * RATE // 1000
    runs, start, quiet = [], None, None
    for i, p in enumerate(probability):
        here = i * WINDOW
        if p >= threshold:
            quiet = None
            if start is None:
                start = here
        elif p < low and start is not None:
            quiet = here if quiet is None else quiet
            if here - quiet >= at(silence_ms):
                if quiet - start > at(speech_ms):
                    runs.append([start, quiet])
                start = quiet = None
    if start is not None and length - start > at(speech_ms):
        runs.append([start, length])
    for i, run in enumerate(runs):
        if i == 0:
            run[0] = max(0, run[0] - at(pad_ms))
        if i + 1 < len(runs):
            gap = runs[i + 1][0] - run[1]
            grow = gap // 2 if gap < 2 * at(pad_ms) else at(pad_ms)
            run[1] += grow
            runs[i + 1][0] = max(0, runs[i + 1][0] - grow)
        else:
            run[1] = min(length, run[1] + at(pad_ms))
    return runs


def generate(model, write) -> None:
    m = model("silero_vad.onnx")
    path = DATA / "audio/silero_test_16k.wav"
    samples = wav(path)
    p = probabilities(m, samples)
    spoken = segments(p, len(samples))
    video = DATA / "video/grid_concat_gaps.mp4"
    sound = sound_of(video)
    q = probabilities(m, sound)
    write("silero", m, wav={
        "file": "audio/silero_test_16k.wav", "sha256": sha256(path), "samples": len(samples),
        "probability_in_thousandths": [round(v * 1000) for v in p], "segments_s": [[a / RATE, b / RATE] for a, b in spoken],
    }, grid_concat_gaps={
        "file": "video/grid_concat_gaps.mp4", "sha256": sha256(video), "how": "ffmpeg -ac 1 -ar 16000", "samples": len(sound),
        "segments_s": [[a / RATE, b / RATE] for a, b in segments(q, len(sound))],
    }, how="threshold 0.5, below 0.35 for 100 ms ends, at least 250 ms, 30 ms more on either side")
