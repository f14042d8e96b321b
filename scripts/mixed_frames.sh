#!/usr/bin/env bash
# A mixed set of real frames for `frameloom curate`: films, streets, a still camera, photos, and photos blurred, noisy and dark.
#
#   scripts/mixed_frames.sh DATA OUT      DATA: the folder of FRAMELOOM_TESTDATA
#
# 212 frames, the same bytes for the same FFmpeg. Names say what a frame is: sintel_, bikes_, vtest_, photo_, blurred_, noisy_, dark_.
set -euo pipefail
if [ $# -ne 2 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
data=$1 out=$2
mkdir -p "$out"

frames() { # NAME INPUT FILTER
  ffmpeg -v error -y -i "$2" -vf "$3" -fps_mode passthrough -q:v 2 -threads 1 "$out/$1" </dev/null
}
frames 'sintel_%04d.jpg' "$data/video/sintel_trailer_30s.mp4" 'select=not(mod(n\,12))'
frames 'bikes_%04d.jpg' "$data/video/bikes.mp4" 'select=not(mod(n\,6))'
frames 'vtest_%04d.jpg' "$data/video/vtest_480x360.mp4" 'select=not(mod(n\,40))'

kinds=(blurred noisy dark)
filters=('gblur=sigma=4' 'noise=alls=40:allf=t:all_seed=7' 'eq=brightness=-0.25:contrast=0.6')
n=0
for photo in "$data"/images/kodak/*.png "$data"/images/coco_ccby/*.jpg; do
  name=$(basename "$photo")
  cp "$photo" "$out/photo_$name"
  kind=$((n % 3))
  frames "${kinds[$kind]}_${name%.*}.jpg" "$photo" "${filters[$kind]}"
  n=$((n + 1))
done
