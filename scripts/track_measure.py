#!/usr/bin/env python3
"""What `frameloom track` takes of time and memory, measured in turns so that all ways see the same machine; medians.

    scripts/track_measure.py FRAMELOOM speed   [VIDEO] [--rounds 5]          share of FFmpeg's decoding; cost of isolation
    scripts/track_measure.py FRAMELOOM streams --models DIR [--rounds 3]     four streams in one process against four processes in a row
    scripts/track_measure.py FRAMELOOM memory  [--minutes 10]                limits of 256, 512, 1024 MB on 1080p and 4K; a long clip

Clips are made by FFmpeg where none is given. Memory is that of the process tree without program code: RssAnon of every process, and
shared memory once, every 20 ms.
"""
import argparse, glob, os, statistics, subprocess, sys, tempfile, time


def run(command, env=None):
    """Seconds, exit code, most memory of the tree in bytes, and (seconds, bytes) now and then."""
    begun, peak, line, last = time.time(), 0, [], 0.0
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    while p.poll() is None:
        now = tree(p.pid)
        peak = max(peak, now)
        if time.time() - last > 1:
            last = time.time()
            line.append((last - begun, now))
        time.sleep(0.02)
    error = p.stderr.read().decode(errors="replace")
    return time.time() - begun, p.returncode, peak, line, error


def tree(pid):
    anon, shared, todo = 0, 0, [pid]
    while todo:
        one = todo.pop()
        try:
            for row in open(f"/proc/{one}/status"):
                if row.startswith("RssAnon:"):
                    anon += int(row.split()[1]) << 10
                elif row.startswith("RssShmem:"):
                    shared = max(shared, int(row.split()[1]) << 10)
            for task in glob.glob(f"/proc/{one}/task/*/children"):
                todo += [int(c) for c in open(task).read().split()]
        except (OSError, ValueError):
            pass
    return anon + shared


def clip(path, size, seconds, rate=25):
    """Figures that move in front of a still, noisy background."""
    w, h = map(int, size.split("x"))
    boxes = []
    for i, colour in enumerate(["white", "red", "yellow", "blue", "green", "orange"]):
        side, speed = h // 9 + i * h // 60, 40 + 23 * i
        boxes.append((f"color={colour}:s={side}x{side * 2}:r={rate}", f"x='mod(t*{speed * w / 1280:.1f}+{i * w // 6},{w})':y={h // 8 + i * h // 9}"))
    inputs = ["-f", "lavfi", "-i", f"color=gray:s={size}:r={rate}:d={seconds},noise=alls=12:allf=t"]
    for source, _ in boxes:
        inputs += ["-f", "lavfi", "-i", source]
    graph, at = [], "0:v"
    for i, (_, place) in enumerate(boxes):
        graph.append(f"[{at}][{i + 1}:v]overlay={place}:shortest=0:eof_action=repeat[o{i}]")
        at = f"o{i}"
    graph.append(f"[{at}]format=yuv420p[v]")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, "-filter_complex", ";".join(graph), "-map", "[v]", "-t", str(seconds)]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", path], check=True)


def frames(path):
    probe = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", path]
    return int(subprocess.run(probe, check=True, capture_output=True, text=True).stdout.strip().strip(","))


def good(result):
    if result[1] != 0:
        sys.exit(f"exit code {result[1]}: {result[4]}")
    return result


def turns(ways, rounds):
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(way())
    return {name: statistics.median(t) for name, t in times.items()}


def speed(a, folder):
    video = a.video or os.path.join(folder, "clip.mp4")
    if not a.video:
        clip(video, "1920x1080", 20)
    track = [a.frameloom, "track", video, "-o", os.path.join(folder, "out"), "--restart", "--quiet"]
    ways = {
        "ffmpeg decodes": lambda: good(run(["ffmpeg", "-nostdin", "-v", "error", "-i", video, "-map", "0:v:0", "-f", "null", "-"]))[0],
        "track, isolated": lambda: good(run([*track, "--isolate=on"]))[0],
        "track, one process": lambda: good(run([*track, "--isolate=off"]))[0],
    }
    n, t = frames(video), turns(ways, a.rounds)
    for name, seconds in t.items():
        print(f"{name:20} {seconds:7.2f} s {n / seconds:8.1f} frames/s   {100 * t['ffmpeg decodes'] / seconds:5.0f} % of decoding")
    print(f"isolation takes {100 * (t['track, isolated'] / t['track, one process'] - 1):+.1f} % more time")


def streams(a, folder):
    videos = []
    for i in range(4):
        videos.append(os.path.join(folder, f"cam{i}.mp4"))
        clip(videos[-1], "854x480", 8 + i)
    model = ["--detector", a.detector, "--models", a.models] if a.models else []
    out, peaks = os.path.join(folder, "out"), {"one": [], "single": []}

    def one():
        result = good(run([a.frameloom, "track", *videos, "-o", out, "--restart", "--quiet", *model]))
        peaks["one"].append(result[2])
        return result[0]

    def row():
        all_of = [good(run([a.frameloom, "track", v, "-o", f"{out}{i}", "--restart", "--quiet", *model])) for i, v in enumerate(videos)]
        peaks["single"].append(sum(r[2] for r in all_of))
        return sum(r[0] for r in all_of)

    t = turns({"one process": one, "four in a row": row}, a.rounds)
    for name, seconds in t.items():
        print(f"{name:20} {seconds:7.2f} s")
    together, four = (statistics.median(peaks[k]) / 1e6 for k in ("one", "single"))
    print(f"memory: one process {together:.0f} MB, four of them {four:.0f} MB: {100 * together / four:.0f} %")


def memory(a, folder):
    for size in ("1920x1080", "3840x2160"):
        video = os.path.join(folder, f"{size}.mp4")
        clip(video, size, 6)
        for limit in (256, 512, 1024):
            command = [a.frameloom, "track", video, "-o", os.path.join(folder, "out"), "--restart", "--quiet", "--memory-limit", str(limit)]
            seconds, code, peak, _, error = run(command)
            said = error.strip().splitlines()[0] if code else ""
            print(f"{size:10} limit {limit:5} MB: exit {code}, most {peak / 1e6:6.0f} MB, {seconds:5.1f} s  {said}", flush=True)
    video = os.path.join(folder, "long.mp4")
    clip(video, "640x360", a.minutes * 60)
    seconds, _, peak, line, _ = good(run([a.frameloom, "track", video, "-o", os.path.join(folder, "out"), "--restart", "--quiet"]))
    third = max(1, len(line) // 3)
    first, last = (max(m for _, m in part) / 1e6 for part in (line[:third], line[-third:]))
    print(f"{a.minutes} minutes: {seconds:.0f} s, most in the first third {first:.0f} MB, in the last {last:.0f} MB, in all {peak / 1e6:.0f} MB")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("frameloom")
    p.add_argument("what", choices=["speed", "streams", "memory"])
    p.add_argument("video", nargs="?")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--models")
    p.add_argument("--detector", default="yolox-nano")
    p.add_argument("--minutes", type=int, default=10)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        {"speed": speed, "streams": streams, "memory": memory}[a.what](a, folder)


main()
