//! The few calls into FAISS and its libraries that the `faiss` crate has no safe, shared form for.
#![allow(unsafe_code, reason = "FFI: concurrent searches, threads of BLAS and OpenMP")]

use std::ffi::{CStr, c_int};
use std::sync::Once;

use faiss::index::IndexImpl;

unsafe extern "C" {
    /// OpenMP 5.0, 3.2.1: threads of parallel regions that the calling thread begins.
    fn omp_set_num_threads(threads: c_int);
}

/// Queries from which FAISS multiplies matrices instead of rows. Its default at this version; pinned because later ones decide by bytes.
pub(super) const BLAS_QUERIES: usize = 20;

/// Settings of the process, once. BLAS gets one thread: searches are cut into batches for threads of ours, training must not depend on the number
/// of cores, and two pools of threads that wait actively for each other are slow.
fn settle_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: sets a global number, before any search.
        unsafe { faiss_sys::faiss_set_distance_compute_blas_threshold(BLAS_QUERIES as c_int) };
        // The system's BLAS may be another one than OpenBLAS: then there is nothing to set.
        let this = libloading::os::unix::Library::this();
        // SAFETY: the type is that of OpenBLAS's cblas.h.
        let set = unsafe { this.get::<unsafe extern "C" fn(c_int)>(b"openblas_set_num_threads\0") };
        if let Ok(set) = set {
            // SAFETY: any positive number may be set.
            unsafe { set(1) };
        }
    });
}

/// Prepares the calling thread for calls into FAISS, that may use `threads` threads.
pub(super) fn settle(threads: usize) {
    settle_process();
    // SAFETY: any positive number may be set; it is the calling thread's own setting.
    unsafe { omp_set_num_threads(c_int::try_from(threads).unwrap_or(c_int::MAX).max(1)) };
}

/// FAISS's text for what it just refused in this thread.
fn last_error(code: c_int) -> String {
    // SAFETY: a static or thread-local text of FAISS, which lives until the next call in this thread.
    let text = unsafe { faiss_sys::faiss_get_last_error() };
    if text.is_null() {
        return format!("code {code}");
    }
    // SAFETY: not null, and ends with a zero byte.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

pub(super) fn checked(code: c_int) -> Result<(), String> {
    if code == 0 { Ok(()) } else { Err(last_error(code)) }
}

/// Searches without changing the index: several threads may do so at once, which the crate's form does not allow for all kinds. Gives `k`
/// scores and ids a query; ids of -1 mean that there are fewer.
pub(super) fn search(index: &IndexImpl, dim: usize, queries: &[f32], k: usize) -> Result<(Vec<f32>, Vec<i64>), String> {
    let count = queries.len() / dim;
    let (mut scores, mut ids) = (vec![0f32; count * k], vec![-1i64; count * k]);
    // SAFETY: `queries` holds `count` rows of the index's length (`dim`, which the caller took from it), and both outputs have room for `k` a query.
    let code = unsafe {
        faiss_sys::faiss_Index_search(
            index.inner_ptr(),
            count as i64,
            queries.as_ptr(),
            k as i64,
            scores.as_mut_ptr(),
            ids.as_mut_ptr(),
        )
    };
    checked(code).map(|()| (scores, ids))
}

/// The same in an inverted file, in the two steps that FAISS takes: which lists, for all of `filled`, then these lists, for the queries that
/// `filled` begins with.
pub(super) fn search_lists(
    index: &IndexImpl,
    dim: usize,
    (filled, count): (&[f32], usize),
    k: usize,
) -> Result<(Vec<f32>, Vec<i64>), String> {
    // SAFETY: a living index; the answer is null when it is of another kind, and else the same object.
    let lists = unsafe { faiss_sys::faiss_IndexIVF_cast(index.inner_ptr()) };
    if lists.is_null() || filled.len() < count * dim {
        return Err("no inverted file, or too few queries".into());
    }
    // SAFETY: a living inverted file.
    let (quantizer, nprobe) = unsafe {
        let nprobe = faiss_sys::faiss_IndexIVF_nprobe(lists).min(faiss_sys::faiss_IndexIVF_nlist(lists));
        (faiss_sys::faiss_IndexIVF_quantizer(lists), nprobe)
    };
    let all = filled.len() / dim;
    let (mut near, mut chosen) = (vec![0f32; all * nprobe], vec![-1i64; all * nprobe]);
    let (mut scores, mut ids) = (vec![0f32; count * k], vec![-1i64; count * k]);
    // SAFETY: `filled` holds `all` rows of the index's length, and both outputs have room for `nprobe` each.
    checked(unsafe {
        faiss_sys::faiss_Index_search(
            quantizer,
            all as i64,
            filled.as_ptr(),
            nprobe as i64,
            near.as_mut_ptr(),
            chosen.as_mut_ptr(),
        )
    })?;
    // SAFETY: the first `count` of them, at most `all`; `nprobe` is the index's own, and both outputs have room for `k` each.
    checked(unsafe {
        faiss_sys::faiss_IndexIVF_search_preassigned(
            lists,
            count as i64,
            filled.as_ptr(),
            k as i64,
            chosen.as_ptr(),
            near.as_ptr(),
            scores.as_mut_ptr(),
            ids.as_mut_ptr(),
            0,
        )
    })?;
    Ok((scores, ids))
}
