#!/usr/bin/env bash
# Speed of `heatmap` (motion) as a share of FFmpeg's decoding alone, on 1080p H.264: both in turns, so that they see the same machine;
# medians. usage: scripts/heat_share.sh FRAMELOOM [VIDEO] [ROUNDS=5]
set -euo pipefail
bin=$1 video=${2:-} rounds=${3:-5}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -z "$video" ]; then
  video="$folder/clip.mp4"
  "$(dirname "$0")/hd_clip.sh" "$video"
fi
frames=$(ffprobe -v error -count_packets -select_streams v:0 -show_entries stream=nb_read_packets -of csv=p=0 "$video" | tr -d ,)
milliseconds() {
  local begun
  begun=$(date +%s%N)
  "$@" >/dev/null 2>&1
  echo $((($(date +%s%N) - begun) / 1000000))
}
for _ in $(seq "$rounds"); do
  milliseconds ffmpeg -nostdin -v error -i "$video" -map 0:v:0 -f null - >>"$folder/ffmpeg"
  milliseconds "$bin" heatmap "$video" -o "$folder/heat" --quiet >>"$folder/heatmap"
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
a=$(median "$folder/ffmpeg") b=$(median "$folder/heatmap")
awk -v n="$frames" -v a="$a" -v b="$b" 'BEGIN {
  printf "%d frames: ffmpeg decodes %.1f frames/s, heatmap does %.1f frames/s: %.0f %%\n", n, 1000 * n / a, 1000 * n / b, 100 * a / b }'
