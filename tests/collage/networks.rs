use std::path::PathBuf;

use frameloom::core::{CancelToken, Limits, Size};
use frameloom::index::IndexOptions;
use frameloom::workflows::collage::{
    Describer, DescriptorConfig, FeatureMethod, FeaturePooling, Networks, Picture, Pool, PoolOptions, Scan, build_pool,
};
use frameloom::{Error, Result};

use crate::gpu::on_every_adapter;
use crate::support::*;

fn networks() -> Networks {
    Networks::find(&[PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")]).unwrap()
}

fn config(change: impl FnOnce(&mut DescriptorConfig)) -> DescriptorConfig {
    let mut config = DescriptorConfig {
        method: FeatureMethod::Mobilenet,
        spatial_grid: 2,
        aspect: [4, 3],
        ..DescriptorConfig::default()
    };
    change(&mut config);
    networks().complete(&mut config, "embed-features").unwrap();
    config
}

#[test]
fn a_network_describes_a_pool() {
    on_every_adapter("collage network", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (folder, index) = (dir.path().join("p"), dir.path().join("i"));
        pictures(&folder, 0..12, Size::new(160, 120));
        let build = |config: &DescriptorConfig| {
            let options = PoolOptions { networks: networks(), ..PoolOptions::default() };
            let scan = Scan::of(std::slice::from_ref(&folder), true, &options.limits).unwrap();
            build_pool(ctx, scan, &index, &config.clone().into(), &options, &mut ()).unwrap()
        };
        let base = config(|_| ());
        assert_eq!(build(&base).computed, 12);
        assert!(build(&base).unchanged);
        let pool = Pool::open(&index).unwrap();
        let dim = pool.rows().dim();
        assert_eq!(dim, base.dim().unwrap() as usize);
        let (search, _) = pool.index(&"flat".parse().unwrap(), &IndexOptions::default()).unwrap();
        let query = pool.describe(ctx, &[folder.join("p7.jpg")], &networks(), &Limits::default()).unwrap();
        let found = pool.search(search.as_ref(), &query, 1).unwrap().remove(0).remove(0);
        assert!((found.score - 1.0).abs() < 1e-5, "{found:?}");
        // Every setting of the network makes another index.
        type Change = fn(&mut DescriptorConfig);
        let changes: [(&str, Change, usize); 3] = [
            ("descriptor.pooling", |c| c.pooling = FeaturePooling::Gem, dim),
            ("descriptor.gem_p", |c| (c.pooling, c.gem_p) = (FeaturePooling::Gem, 7.0), dim),
            ("descriptor.spatial_grid", |c| c.spatial_grid = 1, dim / 4),
        ];
        for (field, change, numbers) in changes {
            build(&base);
            let other = config(change);
            let report = build(&other);
            assert!(
                report.changed.contains(&field.to_owned()) && report.computed == 12,
                "{field}: {:?}",
                report.changed
            );
            assert_eq!(Pool::open(&index).unwrap().rows().dim(), numbers, "{field}");
        }
    });
}

/// The generalised mean of power 1 is the mean, and grows with its power where features are positive.
#[test]
fn powers_of_the_generalised_mean() {
    on_every_adapter("collage gem", |ctx| {
        let size = Size::new(64, 48);
        let picture = Picture { size, source: size, rgba: pixels(3, size), compared: false };
        let row = |change: &dyn Fn(&mut DescriptorConfig)| {
            let mut describer = Describer::new(ctx, &config(change), 1, &networks(), &CancelToken::new()).unwrap();
            describer.pictures(&[&picture]).unwrap()
        };
        let mean = row(&|_| ());
        let one = row(&|c| (c.pooling, c.gem_p) = (FeaturePooling::Gem, 1.0));
        let most = row(&|c| (c.pooling, c.gem_p) = (FeaturePooling::Gem, 60.0));
        let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far(&mean, &one) < 1e-4, "{mean:?} {one:?}");
        assert!(far(&mean, &most) > 1e-4, "{mean:?} {most:?}");
    });
}

#[test]
fn a_network_that_is_missing_is_named() {
    on_every_adapter("collage no network", |ctx| {
        let complete = |name: &str| {
            let mut config = DescriptorConfig { method: FeatureMethod::Efficientnet, ..DescriptorConfig::default() };
            networks().complete(&mut config, name)
        };
        assert!(matches!(complete("no-such-model"), Err(Error::Model { .. })));
        // Listed, but for something else.
        assert!(complete("vad").is_err() || complete("reid").is_err());
        let open = |config: &DescriptorConfig, networks: &Networks| -> Result<()> {
            Describer::new(ctx, config, 1, networks, &CancelToken::new()).map(drop)
        };
        let without = DescriptorConfig { method: FeatureMethod::Mobilenet, ..DescriptorConfig::default() };
        assert!(matches!(open(&without, &networks()), Err(Error::Config { .. })));
        assert!(matches!(open(&config(|_| ()), &Networks::default()), Err(Error::Usage { .. })));
        let mut changed = config(|_| ());
        if let Some(network) = &mut changed.network {
            network.sha256 = "0".repeat(64);
        }
        assert!(matches!(open(&changed, &networks()), Err(Error::Model { cause: "hash-mismatch", .. })));
    });
}
