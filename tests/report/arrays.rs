//! `.npy` and PNG.

use std::io::{Cursor, ErrorKind};

use frameloom::core::Size;
use frameloom::report::{NpyElement, PngFormat, encode_png, read_npy, write_npy};

fn round_trip<T: NpyElement + PartialEq + std::fmt::Debug>(shape: &[usize], data: &[T]) {
    let mut bytes = Vec::new();
    write_npy(&mut bytes, shape, data).unwrap();
    let back = read_npy::<T>(&mut Cursor::new(&bytes), 1000).unwrap();
    assert_eq!((back.shape.as_slice(), back.data.as_slice()), (shape, data));
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!(header % 64, 0);
    for cut in 0..bytes.len() {
        assert!(read_npy::<T>(&mut Cursor::new(&bytes[..cut]), 1000).is_err(), "cut at {cut}");
    }
}

#[test]
fn arrays_come_back() {
    round_trip::<u8>(&[2, 3], &[1, 2, 3, 4, 5, 255]);
    round_trip::<u16>(&[3], &[0, 1, u16::MAX]);
    round_trip::<u32>(&[1, 1, 2], &[7, u32::MAX]);
    round_trip::<f32>(&[2, 2], &[0.5, -0.0, f32::MIN_POSITIVE, 1e30]);
    round_trip::<f64>(&[], &[0.1]);
    round_trip::<f64>(&[0, 5], &[]);
}

#[test]
fn the_header_is_what_numpy_writes() {
    let mut bytes = Vec::new();
    write_npy(&mut bytes, &[2, 3], &[0f32; 6]).unwrap();
    let text = String::from_utf8_lossy(&bytes[10..128]);
    assert_eq!(text.trim_end(), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    let mut one = Vec::new();
    write_npy(&mut one, &[3], &[0u8; 3]).unwrap();
    assert!(String::from_utf8_lossy(&one).contains("'shape': (3,), }"));
}

#[test]
fn wrong_shapes_types_and_sizes_are_refused() {
    let mut bytes = Vec::new();
    assert_eq!(write_npy(&mut bytes, &[2, 2], &[1u8]).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(write_npy(&mut bytes, &[usize::MAX, 2], &[1u8]).unwrap_err().kind(), ErrorKind::InvalidInput);
    write_npy(&mut bytes, &[100], &[1u8; 100]).unwrap();
    assert!(read_npy::<f32>(&mut Cursor::new(&bytes), 1000).unwrap_err().to_string().contains("<f4"));
    assert!(read_npy::<u8>(&mut Cursor::new(&bytes), 99).unwrap_err().to_string().contains("limit"));
    bytes.push(0);
    assert!(read_npy::<u8>(&mut Cursor::new(&bytes), 1000).is_err());
}

#[test]
fn pictures_come_back_and_are_the_same_every_time() {
    for format in [PngFormat::Gray8, PngFormat::Rgb8, PngFormat::Rgba8] {
        let size = Size::new(13, 7);
        let data: Vec<u8> = (0..13 * 7 * format.channels()).map(|i| (i * 31 % 256) as u8).collect();
        let bytes = encode_png(size, format, &data).unwrap();
        assert_eq!(bytes, encode_png(size, format, &data).unwrap());
        let mut reader = png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap();
        let mut back = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut back).unwrap();
        assert_eq!((info.width, info.height, back), (13, 7, data));
    }
    assert!(encode_png(Size::new(2, 2), PngFormat::Gray8, &[0; 3]).is_err());
    assert!(encode_png(Size::new(0, 0), PngFormat::Gray8, &[]).is_err());
    assert!(encode_png(Size::new(u32::MAX, u32::MAX), PngFormat::Rgba8, &[0; 3]).is_err());
}
