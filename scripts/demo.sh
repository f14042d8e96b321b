#!/usr/bin/env bash
# Analyses VIDEO, or a clip made here, and ends with the path of its report. Everything lands in out/demo.
#   make demo                 a generated clip: moving patterns, a blurred part, a zoom, a dark part, cuts, a tone
#   make demo VIDEO=a.mp4     your own
set -euo pipefail
caller="$PWD"
cd "$(dirname "$0")/.."
mkdir -p out/demo
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

video="${VIDEO:-}"
if [ -z "$video" ]; then
  video="out/demo/clip.mp4"
  if [ ! -s "$video" ]; then
    echo "demo: making a clip" >&2
    ffmpeg -nostdin -v error -y \
      -f lavfi -i "testsrc2=size=1280x720:rate=25:duration=8" \
      -f lavfi -i "mandelbrot=size=1280x720:rate=25:start_scale=2:end_scale=0.02:end_pts=200" \
      -f lavfi -i "life=size=320x180:rate=25:ratio=0.1:seed=7:mold=10:life_color=#88ccff:death_color=#204060" \
      -f lavfi -i "sine=frequency=330:duration=20" \
      -filter_complex "[0:v]gblur=sigma=6:enable='between(t,3,5)',setsar=1[a];
        [1:v]trim=duration=6,setpts=PTS-STARTPTS,setsar=1[b];
        [2:v]trim=duration=6,setpts=PTS-STARTPTS,scale=1280:720:flags=neighbor,eq=brightness=-0.15,setsar=1[c];
        [a][b][c]concat=n=3:v=1:a=0,format=yuv420p[v]" \
      -map "[v]" -map 3:a -c:v libx264 -preset veryfast -crf 20 -c:a aac -shortest "out/demo/.clip.mp4"
    mv "out/demo/.clip.mp4" "$video"
  fi
elif [ ! -e "$video" ] && [ -e "$caller/$video" ]; then
  video="$caller/$video"
fi

cargo build --locked --bin frameloom
target="${CARGO_TARGET_DIR:-target}/debug/frameloom"
"$target" doctor >&2
name="$(basename -- "$video")"
"$target" analyze "$video" -o "out/demo/${name%.*}" --restart
