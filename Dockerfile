# Two images. `cpu` runs on Mesa's software adapter; `nvidia` on a GPU of a host with NVIDIA's container toolkit.
#
#   docker build --target cpu -t frameloom .
#   docker run --rm -v "$PWD:/data" frameloom analyze clip.mp4
#
#   docker build --target nvidia -t frameloom:nvidia .
#   docker run --rm --gpus all -v "$PWD:/data" frameloom:nvidia doctor
#
# A folder of models: `-v ~/models:/models -e FRAMELOOM_MODELS=/models`. Not built by the tests of this repository.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN ./scripts/setup.sh \
 && cargo build --locked --release --bin frameloom \
 && strip target/release/frameloom

FROM debian:bookworm-slim AS base
# The shared libraries that the program and FAISS load; ONNX Runtime comes from the build.
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libavcodec59 libavfilter8 libavformat59 libavutil57 libswresample4 libswscale6 \
      libgomp1 libopenblas0-pthread libvulkan1 ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/frameloom /usr/local/bin/frameloom
COPY --from=build /src/runtime /usr/local/lib/onnxruntime
ENV ORT_DYLIB_PATH=/usr/local/lib/onnxruntime/libonnxruntime.so XDG_RUNTIME_DIR=/tmp
WORKDIR /data
ENTRYPOINT ["frameloom"]

FROM base AS cpu
RUN apt-get update \
 && apt-get install -y --no-install-recommends mesa-vulkan-drivers \
 && rm -rf /var/lib/apt/lists/*

FROM base AS nvidia
# `graphics` brings the Vulkan driver into the container, `video` and `compute` what `--hwaccel cuda` needs. Networks run on the processor.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=graphics,video,compute,utility
RUN apt-get update \
 && apt-get install -y --no-install-recommends libx11-6 libxext6 libegl1 \
 && rm -rf /var/lib/apt/lists/*
