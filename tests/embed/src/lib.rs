//! A host as an embedder would write it: a camera that delivers frames, a device that the host opened, results per frame.
//!
//! Nothing here is a test double: it is what the public API must make possible without any feature.

use std::error::Error as StdError;

use frameloom::core::{ColorSpec, FrameDesc, FrameInfo, FrameLayout, PixelFormat, Rational, RowSink, Size};
use frameloom::gpu::{GpuBuffer, GpuContext, GpuOptions, Recorder, wgpu};
use frameloom::ops::stats::luma::{LumaParams, LumaStatsBound, LumaStatsPlan};
use frameloom::pipeline::{BatchView, BatchWork, Event, FrameSource, PipelineOptions, SourceFrame, run};
use frameloom::{Error, Result};

/// The host's device and queue. Handles: the host keeps its own.
pub struct HostDevice {
    /// Device.
    pub device: wgpu::Device,
    /// Queue.
    pub queue: wgpu::Queue,
}

impl HostDevice {
    /// Opens the first adapter that there is.
    pub fn open() -> std::result::Result<Self, Box<dyn StdError>> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
        let wanted = wgpu::Features::SUBGROUP | wgpu::Features::MAPPABLE_PRIMARY_BUFFERS;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("the host's device"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            ..Default::default()
        }))?;
        Ok(Self { device, queue })
    }

    /// Frameloom on this device.
    pub fn context(&self) -> Result<GpuContext> {
        GpuContext::from_wgpu(self.device.clone(), self.queue.clone(), &GpuOptions::default())
    }
}

/// A camera: grey frames, each a little brighter than the one before.
pub struct Camera {
    size: Size,
    frames: u64,
    next: u64,
    picture: Vec<u8>,
}

impl Camera {
    /// A camera that delivers so many frames.
    pub fn new(size: Size, frames: u64) -> Self {
        Self { size, frames, next: 0, picture: vec![0; size.width as usize * size.height as usize] }
    }

    /// The grey of frame `index`.
    pub fn level(index: u64) -> u8 {
        40 + (index % 200) as u8
    }
}

impl FrameSource for Camera {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        if self.next >= self.frames {
            return Ok(false);
        }
        self.picture.fill(Self::level(self.next));
        deliver(self)?;
        self.next += 1;
        Ok(true)
    }
}

impl SourceFrame for Camera {
    fn desc(&self) -> FrameDesc {
        FrameDesc {
            format: PixelFormat::Gray8,
            size: self.size,
            color: ColorSpec::assumed_for_height(self.size.height),
        }
    }

    fn info(&self) -> FrameInfo {
        FrameInfo {
            stream: 0,
            index: self.next,
            pts: Some(self.next as i64),
            time_base: Rational { num: 1, den: 30 },
            duration: 1,
            key: true,
            damaged: false,
        }
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        let plane = layout.planes().first().ok_or_else(|| Error::Bug("a frame without planes".into()))?;
        for (y, row) in self.picture.chunks_exact(self.size.width as usize).enumerate() {
            sink.write(plane.offset as usize + y * plane.stride as usize, row);
        }
        Ok(())
    }
}

/// The mean grey of each frame, through a plan that is bound once per ring slot.
#[derive(Default)]
pub struct MeanGrey {
    size: Option<Size>,
    plan: Option<LumaStatsPlan>,
    bound: Vec<Option<LumaStatsBound>>,
}

impl BatchWork for MeanGrey {
    type Output = Vec<f64>;

    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        _: u32,
        ring_slots: usize,
    ) -> Result<()> {
        self.size = Some(desc.size);
        self.plan = Some(LumaStatsPlan::new(ctx, layout, LumaParams { dark: 25, bright: 230 })?);
        self.bound = (0..ring_slots).map(|_| None).collect();
        Ok(())
    }

    fn result_bytes(&self, batch: u32) -> u64 {
        LumaStatsPlan::RESULT_BYTES * u64::from(batch)
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let early = || Error::Bug("a batch before its shape".into());
        let (plan, slot) = (self.plan.as_ref(), self.bound.get_mut(batch.ring_slot));
        let (plan, slot) = plan.zip(slot).ok_or_else(early)?;
        let bound = match slot {
            Some(bound) => bound,
            empty => empty.insert(plan.bind(ctx, batch.frames, 0)?),
        };
        let count = batch.infos.len() as u32;
        bound.record(rec, count);
        Ok(vec![(bound.results().clone(), 0, self.result_bytes(count))])
    }

    fn decode(&mut self, infos: &[FrameInfo], bytes: &[u8]) -> Result<Vec<f64>> {
        let early = || Error::Bug("results before their shape".into());
        let size = self.size.ok_or_else(early)?;
        let bound = self.bound.iter().flatten().next().ok_or_else(early)?;
        Ok(bound.decode(bytes).iter().take(infos.len()).map(|sums| sums.stats(size).mean).collect())
    }

    fn finish(&mut self, _: &GpuContext) -> Result<Option<Vec<f64>>> {
        Ok(None)
    }
}

/// The mean grey of all frames of `camera`, in order.
pub fn means(ctx: &GpuContext, camera: Camera) -> Result<Vec<f64>> {
    let mut out = Vec::new();
    let source: Box<dyn FrameSource> = Box::new(camera);
    run(ctx, &PipelineOptions::default(), vec![(source, MeanGrey::default())], &|_, _| 1 << 20, |event| {
        match event {
            Event::Batch { output, .. } | Event::Last { output, .. } => out.extend(output),
            Event::End { report, .. } => report.result?,
        }
        Ok(())
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}

    #[test]
    fn handles_cross_threads() {
        shared::<GpuContext>();
        shared::<Error>();
        shared::<frameloom::core::CancelToken>();
        shared::<LumaStatsPlan>();
        shared::<LumaStatsBound>();
        shared::<PipelineOptions>();
        sent::<Box<dyn FrameSource>>();
        sent::<Event<Vec<f64>>>();
    }

    #[test]
    fn a_host_lends_its_device_to_several_threads() {
        let host = HostDevice::open().expect("a Vulkan adapter; Mesa's software one will do");
        let ctx = Arc::new(host.context().expect("a context on the host's device"));
        // The host's own threads, a run in each, one device.
        let threads: Vec<_> = [(64, 48), (33, 17), (128, 72)]
            .into_iter()
            .map(|(width, height)| {
                let ctx = Arc::clone(&ctx);
                std::thread::spawn(move || means(&ctx, Camera::new(Size::new(width, height), 50)))
            })
            .collect();
        for thread in threads {
            let found = thread.join().expect("no panic").expect("means");
            let wanted: Vec<f64> = (0..50).map(|i| f64::from(Camera::level(i))).collect();
            assert_eq!(found, wanted);
        }
        // The device is still the host's.
        host.queue.submit([]);
    }

    #[test]
    fn errors_of_the_host_come_back_as_they_are() {
        struct Broken;
        impl FrameSource for Broken {
            fn next(&mut self, _: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
                Err(Error::Usage { message: "the camera is unplugged".into(), hint: None })
            }
        }
        let host = HostDevice::open().expect("a Vulkan adapter");
        let ctx = host.context().expect("a context");
        let sources: Vec<(Box<dyn FrameSource>, MeanGrey)> = vec![(Box::new(Broken), MeanGrey::default())];
        let mut ended = None;
        let ran = run(&ctx, &PipelineOptions::default(), sources, &|_, _| 1 << 20, |event| {
            if let Event::End { report, .. } = event {
                ended = Some(report.result);
            }
            Ok(())
        });
        let said = ran.err().or_else(|| ended.and_then(Result::err)).expect("an error");
        assert!(said.to_string().contains("unplugged") && said.code() == "usage", "{said}");
    }
}
