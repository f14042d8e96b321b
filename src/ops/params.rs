//! Parameter structs shared with kernels, without unsafe casts: fields are written in order and a test compares their
//! offsets with the WGSL struct.

use crate::error::Error;

/// A scalar or vec4 member of a parameter struct.
pub(crate) trait ParamField: Copy {
    /// Bytes in WGSL's uniform layout.
    const SIZE: usize;
    /// Appends the little-endian bytes.
    fn put(self, out: &mut Vec<u8>);
}

macro_rules! scalar {
    ($($t:ty),*) => { $(
        impl ParamField for $t {
            const SIZE: usize = 4;
            fn put(self, out: &mut Vec<u8>) { out.extend_from_slice(&self.to_le_bytes()); }
        }
        impl ParamField for [$t; 4] {
            const SIZE: usize = 16;
            fn put(self, out: &mut Vec<u8>) { for v in self { v.put(out); } }
        }
    )* };
}
scalar!(u32, i32, f32);

/// Declares the host twin of a kernel's `Params`. Four-vectors come first, so that no padding is needed.
macro_rules! gpu_params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name { $($(#[$fmeta])* $field: $ty),* }

        impl $name {
            /// Field names and sizes in bytes, in order.
            pub(crate) const FIELDS: &'static [(&'static str, usize)] =
                &[$((stringify!($field), <$ty as $crate::ops::params::ParamField>::SIZE)),*];

            fn to_bytes(self) -> Vec<u8> {
                let mut out = Vec::new();
                $($crate::ops::params::ParamField::put(self.$field, &mut out);)*
                out
            }

            fn upload(self, ctx: &$crate::gpu::GpuContext, label: &str) -> $crate::error::Result<$crate::gpu::GpuBuffer> {
                let bytes = self.to_bytes();
                let size = bytes.len().next_multiple_of(16) as u64;
                let buffer = $crate::gpu::GpuBuffer::new(ctx, label, size, $crate::gpu::BufferUse::Uniform)?;
                buffer.write(ctx, 0, &bytes)?;
                Ok(buffer)
            }
        }
    };
}
pub(crate) use gpu_params;

/// A parameter error of an operation.
pub(crate) fn plan_error(
    op: &'static str,
    name: &'static str,
    wanted: impl Into<String>,
    given: impl std::fmt::Display,
) -> Error {
    Error::Parameter { op, name, wanted: wanted.into(), given: given.to_string() }
}
