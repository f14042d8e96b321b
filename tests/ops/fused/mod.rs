mod describe_image;
