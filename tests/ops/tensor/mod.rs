mod grid_pool;
mod l2_normalize;
mod pack_nchw;
mod random_projection;
