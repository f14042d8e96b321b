pub mod describe_image;
