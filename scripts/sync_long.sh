#!/usr/bin/env bash
# A long talking video with a known drift and two known edits through `frameloom sync`: what is found, how fast, in how much memory.
#
#   scripts/sync_long.sh TESTDATA MODELS [MINUTES=120] [FOLDER=/tmp/sync_long] [more arguments of `frameloom sync`]
#
# The video is grid_concat_gaps.mp4 of the test data in a loop. Its sound is played 41.7 ppm too slow (48000 / 47998); at a third 200 ms of
# silence are put in, at two thirds 300 ms are taken out.
set -euo pipefail
data=$1; models=$2; minutes=${3:-120}; folder=${4:-/tmp/sync_long}
shift $(($# < 4 ? $# : 4))
mkdir -p "$folder"
clip="$folder/long_$minutes.mp4"
total=$((minutes * 60)); one=$((total / 3)); two=$((total * 2 / 3))
if [ ! -f "$clip" ]; then
  ffmpeg -v error -y -stream_loop -1 -i "$data/video/grid_concat_gaps.mp4" -t "$total" -filter_complex "
    [0:a]aformat=sample_rates=48000:channel_layouts=mono,asplit=3[a][b][c];
    [a]atrim=0:$one,asetpts=PTS-STARTPTS[a1];
    anullsrc=r=48000:cl=mono,atrim=0:0.2[z];
    [b]atrim=$one:$two,asetpts=PTS-STARTPTS[b1];
    [c]atrim=start=$two.3,asetpts=PTS-STARTPTS[c1];
    [a1][z][b1][c1]concat=n=4:v=0:a=1,asetrate=47998,aresample=48000[out]" \
    -map 0:v -map '[out]' -c:v copy -c:a aac -b:a 96k "$clip.part.mp4"
  mv "$clip.part.mp4" "$clip"
fi
echo "truth: drift +41.7 ppm; +200 ms at $one s, -300 ms at $two s"
binary=${FRAMELOOM:-target/release/frameloom}
/usr/bin/time -f "%e s elapsed, %M KB resident at most" \
  "$binary" sync "$clip" -o "$folder/long_$minutes.sync" --models "$models" --progress lines "$@"
python3 - "$folder/long_$minutes.sync/sync.json" "$one" "$two" <<'PY'
import json, sys
found = json.load(open(sys.argv[1])); edits = [(float(sys.argv[2]), 0.2), (float(sys.argv[3]), -0.3)]
print(f"drift {found['drift_ppm']:+.1f} ppm (error {found['drift_ppm'] - 41.7:+.1f}), standard error {found['drift_error_ppm']:.1f}")
for jump in found["jumps"]:
    at, by = min(edits, key=lambda e: abs(e[0] - jump["seconds"]))
    print(f"edit at {jump['seconds']:.1f} s (error {jump['seconds'] - at:+.1f} s) by {jump['by'] * 1e3:+.0f} ms (truth {by * 1e3:+.0f})")
PY
