use crate::packing::{Packing, packing_tests};
use frameloom::Result;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::tensor::pack_nhwc::{INFO, PackNhwcPlan, pack_nhwc};
use frameloom::ops::tensor::{PackParams, TensorBound, TensorBox};
use frameloom::ops::{BatchShape, FrameBatch, OpInfo};
use frameloom::reference::FrameSlot;
use frameloom::reference::tensor::pack_nhwc::pack_nhwc as reference;

packing_tests!(PackNhwcPlan, INFO, TensorLayout::Nhwc, pack_nhwc, reference);
