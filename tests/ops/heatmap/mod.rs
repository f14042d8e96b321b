mod accumulate;
mod colormap;
mod decay;
mod normalize;
mod splat_gaussian;
mod stats;
