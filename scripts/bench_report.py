#!/usr/bin/env python3
"""Runs the benchmarks that `scripts/bench.sh` has built, each in turns with what people use now, and joins what they say into one page.

What is compared runs A B A B; tables show medians and their ratio, because the neighbours of a machine are seldom quiet. A part that fails or
whose peer is not installed is named in the page, never left out silently.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL = os.environ.get("FRAMELOOM_BENCH_SMALL") == "1"
PYTHON = os.environ.get("FRAMELOOM_PYTHON", sys.executable)
ROUNDS = 1 if SMALL else 7


def output(*command, **options):
    """Standard output of a command; raises with what it said when it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT, check=False, **options)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        # What a panic is about stands below its place; a hint about backtraces comes last.
        panics = [i for i, line in enumerate(said) if "panicked at" in line]
        last = said[panics[0] + 1] if panics and panics[0] + 1 < len(said) else said[-1]
        raise RuntimeError(f"`{shlex.join(str(c) for c in command[:4])} ...` ended with {done.returncode}: {last}")
    return done.stdout


def seconds(command):
    """Wall time of a command that must succeed."""
    begun = time.perf_counter()
    output(*command)
    return time.perf_counter() - begun


def first_line(*command):
    try:
        return output(*command).strip().splitlines()[0]
    except (OSError, RuntimeError, IndexError):
        return None


class Report:
    """The page, and whether anything went wrong."""

    def __init__(self):
        self.text, self.missing, self.failed = [], [], []

    def add(self, *lines):
        self.text.extend(lines)

    def section(self, title, run):
        """A part of the page; one that fails does not stop the others."""
        print(f"bench: {title}", file=sys.stderr, flush=True)
        self.add("", f"## {title}", "")
        try:
            run()
        except (OSError, RuntimeError, ValueError, KeyError) as e:
            self.failed.append(title)
            self.add(f"FAILED: {e}")

    def absent(self, what, why):
        self.missing.append(f"{what}: {why}")

    def block(self, text):
        # Where this machine has its files is nobody's business.
        text = re.sub(rf"{re.escape(tempfile.gettempdir())}/[^/\s]+/", "", text.replace(PYTHON, "python"))
        self.add("```text", text.strip(), "```")


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def executables(path):
    """Programs by target name, from the messages of cargo."""
    found = {}
    for line in pathlib.Path(path).read_text().splitlines():
        message = json.loads(line)
        if message.get("executable"):
            found[message["target"]["name"]] = message["executable"]
    return found


def module_version(name):
    try:
        return output(PYTHON, "-c", f"import {name}; print({name}.__version__)").strip()
    except (OSError, RuntimeError):
        return None


def in_turns(ways, rounds):
    """Medians of the seconds of each way; the first round warms up and does not count unless there is one alone."""
    times = {name: [] for name in ways}
    for turn in range(rounds + (0 if SMALL else 1)):
        for name, run in ways.items():
            took = run()
            if SMALL or turn > 0:
                times[name].append(took)
    return {name: statistics.median(t) for name, t in times.items()}


class Bench:
    def __init__(self, args, folder):
        self.report, self.folder = Report(), folder
        self.programs = executables(args.programs)
        profile = "debug" if args.profile == "dev" else args.profile
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.frameloom = target / profile / "frameloom"
        self.modules = {name: module_version(name) for name in ("cv2", "numpy", "faiss")}
        self.ffmpeg = first_line("ffmpeg", "-version")

    def device(self):
        which = os.environ.get("FRAMELOOM_ADAPTER")
        return ["--device", which] if which else []

    def machine(self):
        doctor = output(self.frameloom, "doctor", *self.device())
        gpu = re.search(r"^\w+ +GPU +(.*)$", doctor, re.M)
        adapter = gpu.group(1) if gpu else "unknown adapter"
        load = os.getloadavg()[0]
        rust = first_line("rustc", "--version") or "rustc unknown"
        commit = os.environ.get("FRAMELOOM_COMMIT", "unknown")
        line = f"{cpu()}, {os.cpu_count()} cores; adapter {adapter}; {rust}; commit {commit}; load before {load:.2f}"
        return line, adapter

    def video(self):
        given = os.environ.get("VIDEO")
        if given:
            return pathlib.Path(given)
        clip = self.folder / "clip.mp4"
        size, length = ("320x240", 1) if SMALL else ("1920x1080", 20)
        source = f"mandelbrot=size={size}:rate=25:end_pts=500"
        picture = "noise=alls=6:allf=t,format=yuv420p"
        codec = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]
        output("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, "-vf", picture, "-t", length, *codec, clip)
        return clip

    def pictures(self):
        given = os.environ.get("PICTURES")
        if given:
            return pathlib.Path(given)
        folder = self.folder / "pictures"
        folder.mkdir()
        size, count = ("320x240", 6) if SMALL else ("1920x1080", 300)
        source = f"mandelbrot=size={size}:rate=25:end_pts=500"
        output("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, "-vf", "noise=alls=6:allf=t", "-frames:v", count,
               "-q:v", "3", folder / "%04d.jpg")
        return folder

    def some(self, pictures, most):
        """The first pictures of a folder, in one of their own."""
        folder = self.folder / f"{most}_pictures"
        folder.mkdir()
        for path in sorted(p for p in pictures.iterdir() if p.is_file())[:most]:
            shutil.copy(path, folder)
        return folder

    def ops(self):
        command = [self.programs["ops"], "--samples", 2 if SMALL else 20]
        if self.modules["cv2"] and self.modules["numpy"]:
            command += ["--peer", f"{shlex.quote(PYTHON)} scripts/peers/opencv_bench.py"]
        absent = self.folder / "absent"
        self.report.add(output(*command, env={**os.environ, "FRAMELOOM_PEER_ABSENT": str(absent)}).strip())
        for line in sorted(set(absent.read_text().splitlines())) if absent.exists() else []:
            self.report.absent(*line.split(": ", 1))

    def upload(self):
        self.report.add(output(self.programs["upload"], 2 if SMALL else 60).strip())

    def pipelines(self, video):
        if not self.ffmpeg:
            return self.report.add("Not run: it is measured against FFmpeg's decoding.")
        counted = output("ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of",
                         "csv=p=0", video)
        frames = int(counted.strip().strip(","))
        ways = {"`ffmpeg -f null -` (decoding alone)": lambda: seconds(
            ["ffmpeg", "-nostdin", "-v", "error", "-i", video, "-map", "0:v:0", "-f", "null", "-"])}
        for name in ("analyze", "heatmap", "track"):
            def run(name=name):
                with tempfile.TemporaryDirectory(dir=self.folder) as out:
                    return seconds([self.frameloom, name, video, "-o", out, "--quiet", *self.device()])
            ways[f"`frameloom {name}`"] = run
        medians = in_turns(ways, ROUNDS)
        base = next(iter(medians.values()))
        self.report.add(f"{frames} frames, {ROUNDS} rounds in turns, a process each.", "")
        self.report.add("| way | s, median | frames/s | of FFmpeg's decoding |", "|---|---:|---:|---:|")
        for name, median in medians.items():
            self.report.add(f"| {name} | {median:.2f} | {frames / median:.1f} | {base / median:.2f} |")

    def pool(self, pictures):
        command = [self.programs["pool"], pictures, 1 if SMALL else 5]
        if self.modules["cv2"] and self.modules["numpy"]:
            command += ["--peer", f"{shlex.quote(PYTHON)} scripts/peers/collage_baseline.py build {{}}"]
        self.report.block(output(*command))

    def curation(self, pictures):
        # The other side takes seconds for each: so many say enough.
        pictures = self.some(pictures, 60)
        count = sum(1 for _ in pictures.iterdir())

        def ours():
            with tempfile.TemporaryDirectory(dir=self.folder) as out:
                return seconds([self.frameloom, "curate", "analyze", pictures, "-o", out, "--quiet", *self.device()])

        ways = {"`frameloom curate analyze`": ours}
        if self.modules["cv2"] and self.modules["numpy"]:
            ways["`scripts/peers/curate_baseline.py` (OpenCV, NumPy)"] = lambda: seconds(
                [PYTHON, "scripts/peers/curate_baseline.py", pictures])
        medians = in_turns(ways, 1 if SMALL else 3)
        base = next(iter(medians.values()))
        self.report.add("A process each, with decoding.", "")
        self.report.add("| way | s, median | pictures/s | times as long as ours |", "|---|---:|---:|---:|")
        for name, median in medians.items():
            self.report.add(f"| {name} | {median:.2f} | {count / median:.1f} | {median / base:.2f} |")

    def index(self):
        rows = 2000 if SMALL else 100_000
        self.report.block(output(self.programs["index"], rows, 64, ROUNDS))
        if self.modules["faiss"]:
            baseline = [PYTHON, "scripts/peers/collage_baseline.py", "search", "--vectors", rows]
            self.report.add("", "FAISS from Python, flat, the same sizes:", "")
            self.report.block(output(*baseline))

    def isolate(self, video):
        self.report.block(output(self.programs["isolate"], video, ROUNDS))

    def models(self, video):
        folder, name = os.environ.get("FRAMELOOM_MODELS"), os.environ.get("MODEL")
        if not (folder and name):
            return self.report.add("Not run: FRAMELOOM_MODELS=DIR and MODEL=NAME choose a detector.")
        # The clip of a small pass has fewer frames than are measured otherwise.
        few = ["10", "1"] if SMALL else []
        return self.report.block(output(self.programs["models"], video, folder, name, *few))

    def run(self):
        line, adapter = self.machine()
        r = self.report
        peers = [f"OpenCV {self.modules['cv2']}" if self.modules["cv2"] else None, self.ffmpeg and self.ffmpeg.split(" Copyright")[0]]
        peers.append(f"FAISS {self.modules['faiss']} for Python" if self.modules["faiss"] else None)
        for name, what in (("cv2", "OpenCV (`opencv-python-headless`)"), ("numpy", "NumPy"), ("faiss", "FAISS for Python (`faiss-cpu`)")):
            if not self.modules[name]:
                r.absent(what, f"not installed in `{PYTHON}`; FRAMELOOM_PYTHON names another one")
        if not self.ffmpeg:
            r.absent("FFmpeg", "no `ffmpeg` command")
        video, pictures = (self.video(), self.pictures()) if self.ffmpeg else (None, None)
        r.section("Operations", self.ops)
        r.section("Upload", self.upload)
        if video:
            r.section("Videos, against FFmpeg", lambda: self.pipelines(video))
            r.section("Decoding in a process of its own", lambda: self.isolate(video))
            r.section("A detector in a pipeline", lambda: self.models(video))
            r.section("A pool of pictures, against Python and OpenCV", lambda: self.pool(pictures))
            r.section("Figures of pictures, against Python and OpenCV", lambda: self.curation(pictures))
        r.section("Nearest vectors", self.index)
        head = [f"# Benchmarks, {datetime.date.today().isoformat()}", ""]
        if SMALL:
            head += ["**Small pass: it shows that everything runs. The figures mean nothing.**", ""]
        head += [f"Machine: {line}, after {os.getloadavg()[0]:.2f}.", "", f"Peers: {'; '.join(p for p in peers if p) or 'none'}."]
        head += ["", "Not run:", ""] + [f"- {m}" for m in r.missing] if r.missing else []
        head += ["", "Made by `scripts/bench.sh`. What is compared runs in turns; medians. Read the ratios: a machine has neighbours."]
        slug = re.sub(r"[^a-z0-9]+", "-", adapter.lower()).strip("-")[:40].strip("-")
        return "\n".join(head + r.text) + "\n", slug


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="messages of `cargo bench --no-run --message-format=json`")
    parser.add_argument("--profile", required=True, help="profile that `frameloom` was built with")
    parser.add_argument("--output", type=pathlib.Path, help="file to write")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, pathlib.Path(folder))
        page, slug = bench.run()
    usual = ROOT / "benches/reports" / f"{datetime.date.today().isoformat()}-{slug}.md"
    path = args.output or (ROOT / "target/bench-small.md" if SMALL else usual)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(page)
    shutil.move(draft, path)
    print(f"bench: {path}", file=sys.stderr)
    for title in bench.report.failed:
        print(f"bench: FAILED: {title}", file=sys.stderr)
    return 1 if bench.report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
