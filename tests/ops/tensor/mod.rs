mod grid_pool;
mod l2_normalize;
mod pack_nchw;
mod pack_nhwc;
mod random_projection;
