// Measures of a frame that curation, chunking and shot detection ask for, in few passes; each part as the operation of its own.
//
// In:   src          pictures of any format, sizes may differ; workgroup_id.z counts them, in scan and count_colors from number
//                    `first` on. stencils, border and thumbnail read grey: luma, or what scan made of packed RGB
//       src_bits, src_edges   bit planes of the edges of grey (edges/canny); src_pictures, src_planes tell their places
// Out:  dst_sums     `dst` words a picture, zero before: luma statistics (14, as stats/luma), residual (2), border (6), edge pixels,
//                    colours; then the bins of luma and of HSV; at `patches` three words per patch; at `thumb` the thumbnail, one word a
//                    pixel
//       dst_map      2 MiB per workgroup_id.z, zero before: a bit per colour (common/color_map)
//       dst_gray     of packed RGB its grey, one byte a pixel, at out_pictures; else not written
// Algorithm: scan reads a picture once, patches of 32x32 in turn: grey, colours marked, V of the patch, both histograms
//       (common/bin_tables). stencils reads grey once: Laplacian, Sobel, noise mask, 5x5 residual over blocks of 16 x ROWS pixels.
// Border: reflect-101; the strips of the border and patches are cut at the picture.
// Exact: integers, see the imported files.
// Loop bound: 64 steps a patch with up to 16 new colours and 16 bins each, at most 30000 in scan, + BINS to clear + 8 BINS / WG to merge;
//       ROWS or LOADS in others, at most 64; in thumbnail rows * loads of a pixel, at most 32768, checked in plan.

#import common/bin_tables
#import common/blocks
#import common/border
#import common/byte_spans
#import common/color_map
#import common/edge_bits
#import common/gradient
#import common/gray16
#import common/grid
#import common/hsv
#import common/hsv_bins
#import common/inside
#import common/laplacian
#import common/luma
#import common/luma_sums
#import common/out_pictures
#import common/patch_sums
#import common/pictures
#import common/residual
#import common/rgb16
#import common/rows
#import common/rows5
#import common/signed16
#import common/sum64
#import common/weighted_mean

// What is asked for.
override COLORS: bool = true;
override LIGHTING: bool = true;
override LUMA: bool = true;
override RESIDUAL: bool = true;
override LUMA_BINS: u32 = 256u;
override HSV_BINS: u32 = 216u;

struct Params {
    offset: vec4<i32>,  // see common/rgb16
    chroma: vec4<i32>,
    first: u32,         // number of the first picture
    dst: u32,           // words of dst_sums per picture
    patches: u32,       // first word of the patches
    thumb: u32,         // of the thumbnail
    thumb_width: u32,
    thumb_height: u32,
    dark: u32,          // a pixel is dark at or below this code of luma
    bright: u32,        // bright at or above this one
    border: u32,        // width of the strips, at least 1
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(8) var<storage, read_write> dst_sums: array<atomic<u32>>;
@group(0) @binding(9) var<storage, read_write> dst_gray: array<vec4<u32>>;

const AT_RESIDUAL: u32 = 14u;
const AT_BORDER: u32 = 16u;
const AT_EDGES: u32 = 22u;
const AT_COLORS: u32 = 23u;
const AT_BINS: u32 = 24u;

// Bins of pixels x .. x+3 of a row; none behind its end.
fn hsv_bins4(p: vec4<u32>, x: u32, width: u32) -> vec4<u32> {
    return bins_of(p) + LUMA_BINS + (vec4(1u) - inside4(x, width)) * BINS;
}

// Column v of row y: everything but grey's statistics, in one go.
fn visit(z: u32, picture: Picture, v: u32, y: u32, sums: ptr<function, PatchSums>, local: u32) {
    let luma = luma_of(picture, v, y);
    let p = colors_of(picture, v, y, luma);
    let gray = gray_of(luma, p);
    let x = 16u * v;
    if (COLORS) {
        mark16(z * MAP_WORDS, p, x, picture.width);
    }
    if (LIGHTING) {
        add_patch16(sums, p, x, picture.width);
    }
    if (RGBA) {
        let out = out_pictures[params.first + z];
        dst_gray[out.first + y * out.stride + v] = gray_packed(gray);
    }
    if (LUMA_BINS > 0u) {
        let inside = gray_inside(picture.width - x);
        count4((gray.a * LUMA_BINS) >> S8, inside.a, local);
        count4((gray.b * LUMA_BINS) >> S8, inside.b, local);
        count4((gray.c * LUMA_BINS) >> S8, inside.c, local);
        count4((gray.d * LUMA_BINS) >> S8, inside.d, local);
    }
    if (HSV_BINS > 0u) {
        count16(
            hsv_bins4(p.a, x, picture.width),
            hsv_bins4(p.b, x + 4u, picture.width),
            hsv_bins4(p.c, x + 8u, picture.width),
            hsv_bins4(p.d, x + 12u, picture.width),
            local,
        );
    }
}

@compute @workgroup_size(WG)
fn scan(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    clear_tables(local);
    workgroupBarrier();
    let picture = src_pictures[params.first + group.z];
    let dst = (params.first + group.z) * params.dst;
    let patches_across = (picture.width + 31u) >> 5u;
    let patches = patches_across * ((picture.height + 31u) >> 5u);
    for (var i = item_of(group, groups, local); i < patches; i += groups.x * groups.y * WG) {
        let py = i / patches_across;
        let px = i - py * patches_across;
        let columns = min((picture.width + 15u) >> 4u, 2u * px + 2u);
        var sums = PatchSums(vec4(0u), vec4(0u), vec4(0u));
        for (var y = 32u * py; y < min(32u * py + 32u, picture.height); y++) {
            for (var v = 2u * px; v < columns; v++) {
                visit(group.z, picture, v, y, &sums, local);
            }
        }
        if (LIGHTING) {
            let at = dst + params.patches + 3u * i;
            atomicStore(&dst_sums[at], added(sums.sum));
            atomicStore(&dst_sums[at + 1u], added(sums.sum_sq));
            atomicStore(&dst_sums[at + 2u], added(sums.counts));
        }
    }
    workgroupBarrier();
    for (var bin = local; bin < LUMA_BINS + HSV_BINS; bin += WG) {
        let total = counted(bin);
        if (total != 0u) {
            atomicAdd(&dst_sums[dst + AT_BINS + bin], total);
        }
    }
}

@compute @workgroup_size(WG)
fn count_colors(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let total = subgroupAdd(map_bits(group.z, item_of(group, groups, local)));
    if (lane == 0u && total != 0u) {
        atomicAdd(&dst_sums[(params.first + group.z) * params.dst + AT_COLORS], total);
    }
}

@compute @workgroup_size(WG)
fn stencils(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let picture = src_pictures[group.z];
    let block = block_of(item_of(group, groups, local), picture.width, picture.height);
    if (LUMA) {
        add_luma_sums(group.z * params.dst, luma_sums(picture, block, params.dark, params.bright), lane);
    }
    if (RESIDUAL) {
        sum64(group.z * params.dst + AT_RESIDUAL, residual_sum(picture, block), lane);
    }
}

@compute @workgroup_size(WG)
fn count_edges(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let total = subgroupAdd(edge_bits(item_of(group, groups, local), src_pictures[group.z], ROWS));
    if (lane == 0u) {
        atomicAdd(&dst_sums[group.z * params.dst + AT_EDGES], total);
    }
}

@compute @workgroup_size(WG)
fn border(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let item = item_of(group, groups, local);
    let part = border_part(item, params.border, src_pictures[group.z], src_planes[group.z]);
    let at = group.z * params.dst + AT_BORDER;
    sum64(at, part.sum, lane);
    sum64(at + 2u, part.sum_sq, lane);
    let edges = subgroupAdd(part.edges);
    if (lane == 0u) {
        atomicAdd(&dst_sums[at + 4u], edges);
    }
}

@compute @workgroup_size(WG)
fn thumbnail(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = item_of(group, groups, local);
    if (item < params.thumb_width * params.thumb_height) {
        let y = item / params.thumb_width;
        let at = vec2(item - y * params.thumb_width, y);
        let mean = covered_mean(src_pictures[group.z], at, params.thumb_width, params.thumb_height);
        atomicStore(&dst_sums[group.z * params.dst + params.thumb + item], mean);
    }
}
