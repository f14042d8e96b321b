#!/usr/bin/env python3
"""How fast `frameloom curate analyze` measures frames, in turns with others so that all see the same machine; medians.

    scripts/curate_measure.py FRAMELOOM pictures FOLDER [--rounds 3]   against OpenCV and NumPy with the same formulas (peers/curate_baseline.py)
    scripts/curate_measure.py FRAMELOOM video FILE [--every 12]        share of the speed of plain decoding, and the time of each stage

Our seconds are those of the whole process, start and device included; those of the other side are of reading and measuring alone.
"""
import argparse, json, pathlib, statistics, subprocess, sys, tempfile, time

PEER = pathlib.Path(__file__).parent / "peers" / "curate_baseline.py"


def ours(binary, source, *more):
    """Seconds of the process, and its result."""
    with tempfile.TemporaryDirectory() as out:
        command = [binary, "curate", "analyze", source, "-o", out, "--json", "--progress", "none", *more]
        begun = time.perf_counter()
        p = subprocess.run(command, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
    if p.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {p.returncode}:\n{p.stderr}")
    return seconds, json.loads(p.stdout.splitlines()[-1])


def pictures(options):
    kinds = {"parity": ["--parity"], "default": []}
    theirs, own = [], {kind: [] for kind in kinds}
    for _ in range(options.rounds):
        out = subprocess.run([sys.executable, PEER, options.source], check=True, capture_output=True, text=True).stdout
        theirs.append(float(out.split("frames, ")[1].split(" s,")[0]))
        for kind, flags in kinds.items():
            seconds, result = ours(options.binary, options.source, *flags)
            own[kind].append(seconds)
    count, peer = result["frames"], statistics.median(theirs)
    print(f"{count} frames: OpenCV and NumPy {peer:.2f} s")
    for kind, seconds in own.items():
        print(f"  {kind}: {statistics.median(seconds):.2f} s, {peer / statistics.median(seconds):.1f} times as fast")


def video(options):
    rounds = [ours(options.binary, options.source, "--every", str(options.every)) for _ in range(options.rounds)]
    decoding = []
    for _ in range(options.rounds):
        begun = time.perf_counter()
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", options.source, "-map", "0:v:0", "-f", "null", "-"], check=True)
        decoding.append(time.perf_counter() - begun)
    seconds, result = sorted(rounds, key=lambda r: r[0])[len(rounds) // 2]
    times, plain = result["times"], statistics.median(decoding)
    print(f"{times['video_frames']} frames of which {result['frames']} are measured: {seconds:.2f} s; FFmpeg decodes in {plain:.2f} s: {100 * plain / seconds:.0f} %")
    print(f"  within: decoding {times['video_decode']:.2f} s, kernels {times['figures']:.2f} s, networks {times['networks']:.2f} s; they overlap")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("what", choices=["pictures", "video"])
    parser.add_argument("source")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=12)
    options = parser.parse_args()
    {"pictures": pictures, "video": video}[options.what](options)


main()
