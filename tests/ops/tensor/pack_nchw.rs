use crate::packing::{Packing, packing_tests};
use frameloom::Result;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::tensor::pack_nchw::{INFO, PackNchwPlan, pack_nchw};
use frameloom::ops::tensor::{PackParams, TensorBound, TensorBox};
use frameloom::ops::{BatchShape, FrameBatch, OpInfo};
use frameloom::reference::FrameSlot;
use frameloom::reference::tensor::pack_nchw::pack_nchw as reference;

packing_tests!(PackNchwPlan, INFO, TensorLayout::Nchw, pack_nchw, reference);
