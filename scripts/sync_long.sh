#!/usr/bin/env bash
# A long talking video with a known drift and two known edits through `frameloom sync`: what is found, how fast, in how much memory.
#
#   scripts/sync_long.sh TESTDATA MODELS [MINUTES=120] [FOLDER=/tmp/sync_long] [more arguments of `frameloom sync`]
#
# The video is grid_concat_gaps.mp4 of the test data in a loop, sound and picture looped alike to the sample. Its sound is played 50 ppm too slow
# (40000 / 39998); at a third 200 ms of silence are put in, at two thirds 300 ms are taken out. KILLS=n in the environment kills the command n times on
# the way with SIGKILL; the last run goes on to the end. Resident memory is logged once a second into FOLDER/long_MINUTES.rss.
set -euo pipefail
data=$1; models=$2; minutes=${3:-120}; folder=${4:-/tmp/sync_long}
shift $(($# < 4 ? $# : 4))
mkdir -p "$folder"
clip="$folder/long_$minutes.mp4"; log="$folder/long_$minutes.rss"
total=$((minutes * 60)); one=$((total / 3)); two=$((total * 2 / 3))
if [ ! -f "$clip" ]; then
  source="$data/video/grid_concat_gaps.mp4"
  # 21.6 s: 540 pictures, 864000 samples at 40 kHz.
  ffmpeg -nostdin -v error -y -i "$source" -an -c copy "$folder/loop.mp4"
  ffmpeg -nostdin -v error -y -i "$source" -vn -af "aresample=40000,aformat=channel_layouts=mono,apad,atrim=end_sample=864000" \
    -c:a pcm_s16le "$folder/loop.wav"
  ffmpeg -nostdin -v error -y -stream_loop -1 -i "$folder/loop.mp4" -i "$folder/loop.wav" -filter_complex "
    [1:a]aloop=loop=-1:size=864000,asplit=3[a][b][c];
    [a]atrim=0:$one,asetpts=PTS-STARTPTS[a1];
    anullsrc=r=40000:cl=mono,atrim=0:0.2,aformat=sample_fmts=s16[z];
    [b]atrim=$one:$two,asetpts=PTS-STARTPTS[b1];
    [c]atrim=start=$two.3:end=$total,asetpts=PTS-STARTPTS[c1];
    [a1][z][b1][c1]concat=n=4:v=0:a=1,asetrate=39998,aresample=48000[out]" \
    -map 0:v -map '[out]' -t "$total" -c:v copy -c:a aac -b:a 96k "$clip.part.mp4"
  mv "$clip.part.mp4" "$clip"
  rm "$folder/loop.mp4" "$folder/loop.wav"
fi
binary=${FRAMELOOM:-target/release/frameloom}
: > "$log"
# Runs the command and logs its memory; kills it after the number of seconds in $1, never for 0.
run() {
  local seconds=$1 began=$SECONDS; shift
  "$binary" sync "$clip" -o "$folder/long_$minutes.sync" --models "$models" --json --progress none "$@" >"$folder/long_$minutes.jsonl" &
  local child=$!
  while kill -0 "$child" 2>/dev/null; do
    awk -v t="$SECONDS" '/^VmRSS/ { print t, $2 }' "/proc/$child/status" >>"$log" 2>/dev/null || true
    if [ "$seconds" -gt 0 ] && [ $((SECONDS - began)) -ge "$seconds" ]; then kill -9 "$child"; break; fi
    sleep 1
  done
  wait "$child" || [ "$seconds" -gt 0 ]
}
for ((kill = 1; kill <= ${KILLS:-0}; kill++)); do run $((kill * ${KILL_AFTER:-40})) "$@"; done
run 0 "$@"
python3 - "$folder/long_$minutes.sync/sync.json" "$log" "$folder/long_$minutes.jsonl" "$one" "$two" <<'PY'
import json, sys
found = json.load(open(sys.argv[1])); one, two = map(float, sys.argv[4:6])
drift = 40000 / 39998 - 1
# The silence that is put in moves the second edit.
edits = [(one * (1 + drift), 0.2), ((two + 0.2) * (1 + drift), -0.3)]
ppm = found["drift_ppm"]
print(f"drift {ppm:+.1f} ppm (truth {drift * 1e6:+.1f}, error {ppm - drift * 1e6:+.1f}), standard error {found['drift_error_ppm']:.1f}")
for at, by in edits:
    near = min(found["jumps"], key=lambda j: abs(j["seconds"] - at), default=None)
    if near is None: print(f"edit at {at:.2f} s: NOT FOUND"); continue
    print(f"edit at {at:.2f} s by {by * 1e3:+.0f} ms: found at {near['seconds']:.2f} s (error {near['seconds'] - at:+.2f} s) by {near['by'] * 1e3:+.0f} ms")
print(f"edits found: {len(found['jumps'])}, tracks: {len(found['tracks'])}, persons: {len(found.get('persons', []))}")
rss = [tuple(map(int, line.split())) for line in open(sys.argv[2]) if len(line.split()) == 2]
kb = [r for _, r in rss]; quarter = max(1, len(kb) // 4)
means = [sum(part) / len(part) / 1024 for part in (kb[i * quarter:(i + 1) * quarter] for i in range(4)) if part]
print(f"resident memory: at most {max(kb) / 1024:.0f} MB; mean of each quarter of the time: {', '.join(f'{m:.0f}' for m in means)} MB")
for line in open(sys.argv[3]):
    event = json.loads(line)
    if event.get("event") == "item": print("speed:", json.dumps({k: event.get(k) for k in ("processing_time", "times_real_time", "resumed", "speed")}))
PY
