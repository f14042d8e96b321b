#!/usr/bin/env bash
# What is released: the crate, and an archive of the command with manual pages, completions for shells and licences.
#   scripts/package.sh            both, into out/package; a release build
#   scripts/package.sh --check    looks at what the crate would hold and how large it would be; builds nothing
#   PROFILE=dev                   another profile for the command
set -euo pipefail
cd "$(dirname "$0")/.."
folder=out/package
# crates.io takes 10 MiB.
most=$((10 << 20))

list="$(mktemp)"
trap 'rm -f "$list"' EXIT
dirty=()
[ "${1:-}" != --check ] || dirty=(--allow-dirty)
cargo package --locked --list "${dirty[@]}" >"$list"
for file in Cargo.toml Cargo.lock README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE build.rs kernels/stats/luma.wgsl \
  src/report/templates/page.html tests/fixtures/models/models.toml docs/configuration.md; do
  grep -qx "$file" "$list" || { echo "package: $file is not in the crate" >&2; exit 1; }
done
if grep -E '^(runtime|out|target|models|\.ci)/' "$list"; then
  echo "package: these do not belong into the crate" >&2
  exit 1
fi
# Cargo makes two of the files itself.
packed=$(grep -vxE 'Cargo.toml.orig|.cargo_vcs_info.json' "$list" | tar -czf - -T - | wc -c)
echo "package: $(wc -l <"$list") files, about $((packed / 1024)) KiB packed"
if [ "$packed" -gt "$most" ]; then
  echo "package: more than the $((most / 1024)) KiB that crates.io takes; see \`exclude\` in Cargo.toml" >&2
  exit 1
fi
[ "${1:-}" != --check ] || exit 0

profile="${PROFILE:-release}"
cargo package --locked --no-verify
cargo build --locked --profile "$profile" --bin frameloom
target="${CARGO_TARGET_DIR:-target}"
built="$target/${profile/#dev/debug}/frameloom"
version="$("$built" --version | cut -d' ' -f2)"
name="frameloom-$version-$(rustc -vV | sed -n 's/^host: //p')"
rm -rf "${folder:?}/$name"
share="$folder/$name/share"
mkdir -p "$folder/$name/bin" "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
  "$share/fish/vendor_completions.d" "$share/doc/frameloom"
install -m 755 "$built" "$folder/$name/bin/frameloom"
strip "$folder/$name/bin/frameloom"
"$built" man "$share/man/man1"
"$built" completions bash >"$share/bash-completion/completions/frameloom"
"$built" completions zsh >"$share/zsh/site-functions/_frameloom"
"$built" completions fish >"$share/fish/vendor_completions.d/frameloom.fish"
for workflow in $("$built" config schema | sed -n 's/.*"#\/$defs\/\([a-z-]*\)".*/\1/p'); do
  "$built" config schema "$workflow" >"$share/doc/frameloom/$workflow.schema.json"
done
cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$share/doc/frameloom/"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" \
  -C "$folder" -cf - "$name" | gzip -n >"$folder/$name.tar.gz"
cp "$target/package/frameloom-$version.crate" "$folder/"
ls -l "$folder"/*.tar.gz "$folder"/*.crate
