#!/usr/bin/env bash
# Writes 20 seconds of 1080p H.264 that is not easy to decode, for measurements. usage: scripts/hd_clip.sh FILE
set -euo pipefail
ffmpeg -nostdin -v error -y -f lavfi -i "mandelbrot=size=1920x1080:rate=25:end_pts=500" -vf "noise=alls=6:allf=t,format=yuv420p" -t 20 \
  -c:v libx264 -preset veryfast -crf 23 "$1"
