//! FAISS's own files, through readers and writers of ours.
#![allow(unsafe_code, reason = "FFI: the `faiss` crate reads and writes paths only")]

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::ptr;

use faiss::index::{FromInnerPtr, IndexImpl};

use super::native::checked;

/// Opens a flat index in a file, which stays mapped (`IO_FLAG_MMAP_IFC`, 1 << 9: the crate's flag is another). The caller has checked
/// that the file is one that we wrote.
pub(super) fn map_file(file: &File) -> Result<IndexImpl, String> {
    const MAP: c_int = 1 << 9;
    // The descriptor's own path: the file that was checked, whatever has its name now.
    let path = format!("/proc/self/fd/{}\0", file.as_raw_fd());
    let mut out = ptr::null_mut();
    // SAFETY: the path ends with a zero byte; `out` is written when the code is 0.
    checked(unsafe { faiss_sys::faiss_read_index_fname(path.as_ptr().cast(), MAP, &mut out) })?;
    // SAFETY: a new index that nobody else owns.
    Ok(unsafe { IndexImpl::from_inner_ptr(out) })
}

thread_local! {
    /// FAISS's callbacks know no context: what is written to or read from in this thread, now.
    static WRITER: RefCell<Option<*mut dyn Write>> = const { RefCell::new(None) };
    static READER: RefCell<Option<*mut dyn Read>> = const { RefCell::new(None) };
}

unsafe extern "C" fn write_items(data: *const c_void, size: usize, items: usize) -> usize {
    let Some(length) = size.checked_mul(items).filter(|n| *n <= isize::MAX as usize) else { return 0 };
    if length == 0 {
        return items;
    }
    // SAFETY: FAISS gives `items` items of `size` bytes, as fwrite takes them.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) };
    let Some(writer) = WRITER.with(|w| *w.borrow()) else { return 0 };
    // SAFETY: set by `write` further up in this thread, which holds the only reference and outlives this call.
    match unsafe { &mut *writer }.write_all(bytes) {
        Ok(()) => items,
        Err(_) => 0,
    }
}

unsafe extern "C" fn read_items(data: *mut c_void, size: usize, items: usize) -> usize {
    let Some(length) = size.checked_mul(items).filter(|n| *n <= isize::MAX as usize) else { return 0 };
    if length == 0 {
        return items;
    }
    // SAFETY: FAISS gives room for `items` items of `size` bytes, as fread takes it; zeroed, because uninitialised bytes make no slice.
    let bytes = unsafe {
        ptr::write_bytes(data.cast::<u8>(), 0, length);
        std::slice::from_raw_parts_mut(data.cast::<u8>(), length)
    };
    let Some(reader) = READER.with(|r| *r.borrow()) else { return 0 };
    // SAFETY: set by `read` further up in this thread, which holds the only reference and outlives this call.
    match unsafe { &mut *reader }.read_exact(bytes) {
        Ok(()) => items,
        Err(_) => 0,
    }
}

/// FAISS's file of `index`, into `out`. A failed write is remembered by `out`, as `Staged` does.
pub(super) fn write(index: &IndexImpl, out: &mut (dyn Write + 'static)) -> Result<(), String> {
    let mut stream = ptr::null_mut();
    // SAFETY: a new object, freed below.
    checked(unsafe { faiss_sys::faiss_CustomIOWriter_new(&mut stream, Some(write_items)) })?;
    WRITER.with(|w| *w.borrow_mut() = Some(ptr::from_mut(out)));
    // SAFETY: both objects live; a CustomIOWriter is an IOWriter. The callback finds `out` until it is taken back below.
    let code = unsafe { faiss_sys::faiss_write_index_custom(index.inner_ptr(), stream.cast(), 0) };
    let done = checked(code);
    WRITER.with(|w| *w.borrow_mut() = None);
    // SAFETY: made above, used by nobody any more.
    unsafe { faiss_sys::faiss_CustomIOWriter_free(stream) };
    done
}

/// An index from its file. The caller has checked that the bytes are those that we wrote: FAISS's reader trusts them.
pub(super) fn read(from: &mut (dyn Read + 'static)) -> Result<IndexImpl, String> {
    let (mut stream, mut out) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: a new object, freed below.
    checked(unsafe { faiss_sys::faiss_CustomIOReader_new(&mut stream, Some(read_items)) })?;
    READER.with(|r| *r.borrow_mut() = Some(ptr::from_mut(from)));
    // SAFETY: both objects live; a CustomIOReader is an IOReader. The callback finds `from` until it is taken back below.
    let code = unsafe { faiss_sys::faiss_read_index_custom(stream.cast(), 0, &mut out) };
    let done = checked(code);
    READER.with(|r| *r.borrow_mut() = None);
    // SAFETY: made above, used by nobody any more.
    unsafe { faiss_sys::faiss_CustomIOReader_free(stream) };
    // SAFETY: a new index that nobody else owns, as the code was 0.
    done.map(|()| unsafe { IndexImpl::from_inner_ptr(out) })
}
