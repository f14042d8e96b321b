use std::collections::HashSet;
use std::path::Path;

use frameloom::Error;
use frameloom::core::{Limits, Size};
use frameloom::gpu::GpuContext;
use frameloom::index::{IndexOptions, IndexSpec, recall_at, sample_rows};
use frameloom::workflows::collage::{
    DescriptorConfig, FeatureLayout, FeatureMethod, Networks, Pool, PoolOptions, Scan, build_pool,
};

use crate::gpu::on_every_adapter;
use crate::support::*;

const SIZE: Size = Size::new(320, 180);

fn small() -> DescriptorConfig {
    DescriptorConfig { comparison_size: 64, ..DescriptorConfig::default() }
}

/// The pictures most like each picture of `folder`, best first.
fn found(ctx: &GpuContext, pool: &Pool, spec: &str, name: &Path, k: usize) -> Vec<(String, f32)> {
    let spec: IndexSpec = spec.parse().unwrap();
    let (index, _) = pool.index(&spec, &IndexOptions { gpu: Some(ctx), threads: None }).unwrap();
    let query = pool.describe(ctx, &[name.to_path_buf()], &Networks::default(), &Limits::default()).unwrap();
    let list = pool.search(index.as_ref(), &query, k).unwrap().remove(0);
    list.into_iter().map(|m| (m.path.rsplit('/').next().unwrap().to_owned(), m.score)).collect()
}

#[test]
fn a_picture_finds_itself_with_one_in_every_index() {
    on_every_adapter("collage identity", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        pictures(&dir.path().join("p"), 0..130, SIZE);
        let pool = pool(ctx, &dir.path().join("p"), &dir.path().join("i"), &small());
        assert_eq!((pool.pictures().len(), pool.rows().len(), pool.rows().dim()), (130, 130, 376));
        for spec in ["flat", "ivf:nlist=3,nprobe=1", "hnsw", "flat-gpu", "host"] {
            for seed in [0, 64, 129] {
                let name = format!("p{seed}.jpg");
                let list = found(ctx, &pool, spec, &dir.path().join("p").join(&name), 3);
                assert_eq!((list[0].0.as_str(), list.len()), (name.as_str(), 3), "{spec}");
                assert!((list[0].1 - 1.0).abs() < 1e-5 && list[1].1 < 0.99, "{spec}: {list:?}");
            }
        }
        // Exact search is what plain loops say, and ties go by path.
        std::fs::copy(dir.path().join("p/p5.jpg"), dir.path().join("p/p1000.jpg")).unwrap();
        let pool = crate::support::pool(ctx, &dir.path().join("p"), &dir.path().join("i"), &small());
        let of = |spec| found(ctx, &pool, spec, &dir.path().join("p/p5.jpg"), 20);
        assert_eq!(of("flat"), of("host"));
        assert_eq!((of("flat")[0].0.as_str(), of("flat")[1].0.as_str()), ("p5.jpg", "p1000.jpg"));
        assert_eq!(of("flat")[0].1.to_bits(), of("flat")[1].1.to_bits());
    });
}

#[test]
fn only_what_is_new_is_computed() {
    on_every_adapter("collage incremental", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (folder, index) = (dir.path().join("p"), dir.path().join("i"));
        pictures(&folder, 0..20, SIZE);
        let counts = || {
            let r = build(ctx, &folder, &index, &small());
            (r.pictures, r.computed, r.reused, r.unchanged)
        };
        assert_eq!(counts(), (20, 20, 0, false));
        let rows_of = |seeds: &[u32]| {
            let pool = Pool::open(&index).unwrap();
            let at = |n: u32| pool.pictures().iter().position(|p| p.path.ends_with(&format!("/p{n}.jpg"))).unwrap();
            seeds.iter().map(|n| pool.rows().row(at(*n) as u32)).collect::<Vec<_>>()
        };
        let first = rows_of(&[0, 7, 19]);
        assert_eq!(counts(), (20, 0, 20, true));
        pictures(&folder, 20..25, SIZE);
        assert_eq!(counts(), (25, 5, 20, false));
        assert_eq!(rows_of(&[0, 7, 19]), first);
        // Moved: known by its content. Touched: read, not computed. Changed: computed.
        std::fs::create_dir(folder.join("sub")).unwrap();
        std::fs::rename(folder.join("p3.jpg"), folder.join("sub/p300.jpg")).unwrap();
        assert_eq!(counts(), (25, 0, 25, false));
        let bytes = std::fs::read(folder.join("p4.jpg")).unwrap();
        std::fs::write(folder.join("p4.jpg"), bytes).unwrap();
        assert_eq!(counts(), (25, 0, 25, false));
        std::fs::write(folder.join("p4.jpg"), std::fs::read(folder.join("p9.jpg")).unwrap()).unwrap();
        assert_eq!(counts(), (25, 0, 25, false));
        pictures(&folder, 4..5, Size::new(100, 100));
        assert_eq!(counts(), (25, 1, 24, false));
        std::fs::remove_file(folder.join("p0.jpg")).unwrap();
        assert_eq!(counts(), (24, 0, 24, false));
        // An index that was made in steps is the one that is made at once.
        let ids = |at: &Path| Pool::open(at).unwrap().id();
        build(ctx, &folder, &dir.path().join("j"), &small());
        assert_eq!(ids(&index), ids(&dir.path().join("j")));
        assert_eq!(
            Pool::open(&index).unwrap().rows().content_hash(),
            Pool::open(dir.path().join("j")).unwrap().rows().content_hash()
        );
    });
}

#[test]
fn every_setting_makes_another_index() {
    on_every_adapter("collage key", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (folder, index) = (dir.path().join("p"), dir.path().join("i"));
        pictures(&folder, 0..5, SIZE);
        let base = DescriptorConfig { method: FeatureMethod::SpatialPyramid, spatial_grid: 4, ..small() };
        type Change = fn(&mut DescriptorConfig);
        let changes: [(&str, Change); 11] = [
            ("descriptor.method", |c| c.method = FeatureMethod::Canny),
            ("descriptor.layout", |c| c.layout = FeatureLayout::Legacy),
            ("descriptor.parity", |c| c.parity = true),
            ("descriptor.edge_weight", |c| c.edge_weight = 0.5),
            ("descriptor.texture_weight", |c| c.texture_weight = 0.5),
            ("descriptor.color_weight", |c| c.color_weight = 0.5),
            ("descriptor.comparison_size", |c| c.comparison_size = 96),
            ("descriptor.spatial_grid", |c| c.spatial_grid = 3),
            ("descriptor.projection_seed", |c| c.projection_seed = 1),
            ("descriptor.aspect", |c| c.aspect = [4, 3]),
            ("", |_| ()),
        ];
        for (field, change) in changes {
            let mut other = base.clone();
            change(&mut other);
            build(ctx, &folder, &index, &base);
            let report = build(ctx, &folder, &index, &other);
            if field.is_empty() {
                assert!(report.unchanged);
                continue;
            }
            assert_eq!((report.changed.as_slice(), report.computed), (&[field.to_owned()][..], 5), "{field}");
            // And it is another descriptor, not only another name; weights of equal parts aside.
            let rows = Pool::open(&index).unwrap().rows().content_hash();
            build(ctx, &folder, &index, &base);
            let same = Pool::open(&index).unwrap().rows().content_hash() == rows;
            assert_eq!(same, field == "descriptor.projection_seed", "{field}");
        }
    });
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_goes_on() {
    on_every_adapter("collage unusable", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (folder, index) = (dir.path().join("p"), dir.path().join("i"));
        pictures(&folder, 0..4, SIZE);
        let whole = std::fs::read(folder.join("p1.jpg")).unwrap();
        std::fs::write(folder.join("cut.jpg"), &whole[..whole.len() / 2]).unwrap();
        std::fs::write(folder.join("head.png"), b"\x89PNG\r\n\x1a\n and nothing else").unwrap();
        std::fs::write(folder.join("text.txt"), "not a picture").unwrap();
        std::os::unix::fs::symlink(folder.join("p1.jpg"), folder.join("link.jpg")).unwrap();
        let report = build(ctx, &folder, &index, &small());
        let names = |list: &[frameloom::media::Skipped]| {
            list.iter().map(|s| s.path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!((report.pictures, names(&report.unusable)), (4, vec!["cut.jpg".into(), "head.png".into()]));
        assert!(report.unusable[0].reason.starts_with("damaged"), "{:?}", report.unusable);
        assert_eq!(names(&report.skipped), ["link.jpg", "text.txt"]);
        // They are known, and not looked at again.
        let again = build(ctx, &folder, &index, &small());
        assert!(again.unchanged && again.unusable == report.unusable);
        assert_eq!(Pool::open(&index).unwrap().unusable().len(), 2);
        // Nothing at all is an error that says so.
        std::fs::create_dir(dir.path().join("none")).unwrap();
        let scan = Scan::of(&[dir.path().join("none")], true, &Limits::default()).unwrap();
        let e = build_pool(ctx, scan, &dir.path().join("k"), &small().into(), &PoolOptions::default(), &mut ())
            .unwrap_err();
        assert!(matches!(e, Error::Usage { .. }), "{e}");
        assert!(matches!(Pool::open(dir.path().join("k")), Err(Error::Index { cause: "missing", .. })));
    });
}

#[test]
fn what_a_limit_kept_out_comes_in_when_it_is_raised() {
    on_every_adapter("collage limits", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (folder, index) = (dir.path().join("p"), dir.path().join("i"));
        pictures(&folder, 0..3, SIZE);
        pictures(&folder, 3..4, Size::new(640, 360));
        std::fs::write(folder.join("head.png"), b"\x89PNG\r\n\x1a\n and nothing else").unwrap();
        let mut options = PoolOptions::default();
        options.limits.pixels = 320 * 180;
        let counts = |options: &PoolOptions| {
            let scan = Scan::of(std::slice::from_ref(&folder), true, &options.limits).unwrap();
            let r = build_pool(ctx, scan, &index, &small().into(), options, &mut ()).unwrap();
            (r.pictures, r.computed, r.unusable.len(), r.unchanged)
        };
        assert_eq!(counts(&options), (3, 3, 2, false));
        // Looked at again, with the same result.
        assert_eq!(counts(&options), (3, 0, 2, true));
        assert_eq!(counts(&PoolOptions::default()), (4, 1, 1, false));
        assert_eq!(counts(&PoolOptions::default()), (4, 0, 1, true));
        // What has a row keeps it.
        assert_eq!(counts(&options), (4, 0, 1, true));
    });
}

#[test]
fn pictures_are_added_and_removed() {
    on_every_adapter("collage add and remove", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (a, b, index) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("i"));
        pictures(&a, 0..6, SIZE);
        pictures(&b, 6..9, SIZE);
        let first = pool(ctx, &a, &index, &small());
        let config = first.descriptor().clone().into();
        let apply = |scan| build_pool(ctx, scan, &index, &config, &PoolOptions::default(), &mut ()).unwrap();
        let added = apply(first.with(std::slice::from_ref(&b), true, &Limits::default()).unwrap());
        assert_eq!((added.pictures, added.computed), (9, 3));
        let both = Pool::open(&index).unwrap();
        let removed = apply(both.without(&[a.join("p2.jpg"), b.clone()]).unwrap());
        assert_eq!((removed.pictures, removed.computed), (5, 0));
        let names: HashSet<String> = Pool::open(&index).unwrap().pictures().iter().map(|p| p.path.clone()).collect();
        assert!(!names.iter().any(|n| n.ends_with("/p2.jpg") || n.contains("/b/")), "{names:?}");
        let e = Pool::open(&index).unwrap().without(&[b]).unwrap_err();
        assert!(e.to_string().contains("no picture at or below"), "{e}");
    });
}

#[test]
fn a_damaged_index_is_told_apart() {
    on_every_adapter("collage damaged index", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let (folder, index) = (dir.path().join("p"), dir.path().join("i"));
        pictures(&folder, 0..3, SIZE);
        build(ctx, &folder, &index, &small());
        let cause = || match Pool::open(&index) {
            Err(Error::Index { cause, .. }) => cause,
            Ok(pool) => match pool.rows().verify() {
                Err(Error::Index { cause, .. }) => cause,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        let file = |name: &str| index.join(name);
        let vectors = std::fs::read(file("vectors.000000.rows")).unwrap();
        let mut flipped = vectors.clone();
        flipped[200] ^= 1;
        std::fs::write(file("vectors.000000.rows"), flipped).unwrap();
        assert_eq!(cause(), "corrupt");
        std::fs::write(file("vectors.000000.rows"), &vectors[..300]).unwrap();
        assert_eq!(cause(), "corrupt");
        std::fs::write(file("vectors.000000.rows"), vectors).unwrap();
        let index_file = std::fs::read_to_string(file("index.json")).unwrap();
        std::fs::write(file("index.json"), index_file.replace("\"vectors.0", "\"../i/vectors.0")).unwrap();
        assert_eq!(cause(), "corrupt");
        std::fs::write(file("index.json"), "{\"schema\": \"something else\"}").unwrap();
        assert_eq!(cause(), "foreign");
        std::fs::write(file("index.json"), "{").unwrap();
        assert_eq!(cause(), "corrupt");
        // Anew, on request.
        let options = PoolOptions { restart: true, ..PoolOptions::default() };
        let scan = Scan::of(&[folder], true, &Limits::default()).unwrap();
        assert_eq!(build_pool(ctx, scan, &index, &small().into(), &options, &mut ()).unwrap().pictures, 3);
        Pool::open(&index).unwrap().rows().verify().unwrap();
    });
}

/// Of real pictures, an inverted file with the usual settings finds nearly all of the ten nearest.
#[test]
fn recall_on_real_pictures() {
    let Some(data) = real_data("recall_on_real_pictures") else { return };
    on_every_adapter("collage recall", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let pool = pool(ctx, &data.join("images/trashnet"), &dir.path().join("i"), &DescriptorConfig::default());
        assert_eq!(pool.pictures().len(), 1000);
        let options = IndexOptions { gpu: Some(ctx), threads: None };
        let (index, _) = pool.index(&"ivf".parse().unwrap(), &options).unwrap();
        let recall = recall_at(index.as_ref(), &sample_rows(pool.rows(), 200, 1), 10, &options).unwrap();
        assert!(recall.mean >= 0.95, "{recall:?}");
    });
}
