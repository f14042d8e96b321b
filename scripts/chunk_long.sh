#!/bin/sh
# Memory of `heatmap` and `chunk run` over a long video: resident memory in MB every few seconds, and its growth from the first third of the
# run to the last. usage: scripts/chunk_long.sh FRAMELOOM [MINUTES] [WxH]
set -eu
bin=$1 minutes=${2:-10} size=${3:-1280x720}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "making $minutes minutes of $size"
ffmpeg -v error -y -f lavfi -i "testsrc2=size=$size:rate=30:duration=$((minutes * 60))" -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
    "$folder/long.mp4"

watch() {
    name=$1
    shift
    echo "== $name"
    "$@" >"$folder/out" 2>"$folder/err" &
    pid=$!
    begun=$(date +%s)
    : >"$folder/$name.rss"
    while kill -0 "$pid" 2>/dev/null; do
        rss=$(awk '/^RssAnon/ { print int($2 / 1024) }' "/proc/$pid/status" 2>/dev/null || true)
        [ -n "$rss" ] && echo "$(($(date +%s) - begun)) $rss" >>"$folder/$name.rss"
        sleep 2
    done
    wait "$pid" || { cat "$folder/err"; exit 1; }
    awk '{ t[NR] = $1; m[NR] = $2 } END {
        step = NR > 12 ? NR / 12 : 1
        for (i = 1; i <= NR; i += step) printf "%5d s %6d MB\n", t[int(i)], m[int(i)]
        third = int(NR / 3); a = b = 0
        for (i = 1; i <= third; i++) if (m[i] > a) a = m[i]
        for (i = NR - third + 1; i <= NR; i++) if (m[i] > b) b = m[i]
        printf "most in the first third %d MB, in the last third %d MB\n", a, b
    }' "$folder/$name.rss"
}

watch heatmap "$bin" heatmap "$folder/long.mp4" -o "$folder/heat" --quiet
"$bin" chunk plan "$folder/heat/heat.npy" -o "$folder/plan" --sizes 256x256 --quiet >/dev/null
watch run "$bin" chunk run "$folder/long.mp4" --plan "$folder/plan/chunks.json" --effect identity -o "$folder/run" --quiet
