//! Which index: as users write it, and with everything chosen.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::ops::RowSample;

/// Rows up to which `auto` searches all of them on the host: beyond, an inverted file is several times faster.
const FLAT_ROWS: u32 = 200_000;
/// Bytes of rows up to which `auto` searches all of them on a hardware GPU.
const GPU_BYTES: u64 = 4 << 30;
/// Training rows a list needs; FAISS complains below.
pub(super) const POINTS_PER_LIST: u32 = 39;
const MAX_LISTS: u32 = 65_536;

const WANTED: &str = "`auto`, `flat`, `flat-gpu[:f16]`, `ivf[:nlist=N,nprobe=N,codes=f32|f16]`, `sqfp16`, `hnsw[:m=N,ef=N]`, `host`, \
                      or a FAISS factory string like `HNSW32,Flat` or `IVF256,SQ8:nprobe=16`";

/// Which index to build. Text: [`FromStr`] and [`fmt::Display`].
///
/// | text | what is built | exact | memory beyond the rows |
/// |---|---|---|---|
/// | `auto` | by the number of rows: see [`IndexSpec::resolve`] | | |
/// | `flat` | FAISS `Flat`: all rows, as a product of matrices | yes | none on a mapped f32 file, else a copy |
/// | `flat-gpu[:f16]` | all rows by `search/top_k`, held in GPU memory as f32 or f16 | as f16 only if the rows are f16 | GPU: the rows |
/// | `ivf[:nlist=,nprobe=,codes=]` | FAISS `IVF<nlist>,Flat` or `,SQfp16`: rows in `nlist` lists, of which `nprobe` are searched | if all lists are, as f32 | rows + 8 bytes each |
/// | `sqfp16` | FAISS `SQfp16`: all rows, rounded to f16; no product of matrices, so several times slower than `flat` in batches | no, but nearly | half the rows |
/// | `hnsw[:m=,ef=]` | FAISS `HNSW<m>,Flat`: a graph of `m` links a row, `ef` candidates followed | no | rows + 8 m bytes each |
/// | `host` | all rows, plain loops: the oracle | yes | none |
/// | factory string | whatever FAISS makes of it, with inner product; after `:` its search parameters | no | |
///
/// ```
/// use frameloom::index::IndexSpec;
/// let spec: IndexSpec = "ivf:nlist=256".parse()?;
/// assert_eq!(spec.resolve(100_000, 376, false)?.to_string(), "ivf:nlist=256,nprobe=16,codes=f32");
/// let wrong = "faltt".parse::<IndexSpec>().unwrap_err();
/// assert!(wrong.to_string().contains("`flat-gpu[:f16]`"));
/// # Ok::<(), frameloom::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum IndexSpec {
    /// Chosen by the number of rows.
    #[default]
    Auto,
    /// Plain loops.
    Host,
    /// FAISS `Flat`.
    Flat,
    /// `search/top_k`.
    FlatGpu {
        /// Numbers in GPU memory.
        sample: RowSample,
    },
    /// FAISS inverted file.
    Ivf {
        /// Lists, 1 to 65,536; `None`: by the number of rows.
        nlist: Option<u32>,
        /// Lists that are searched, 1 to `nlist`; `None`: by `nlist`.
        nprobe: Option<u32>,
        /// Numbers in the lists; `None`: f32.
        codes: Option<RowSample>,
    },
    /// FAISS scalar quantizer to f16.
    SqFp16,
    /// FAISS graph.
    Hnsw {
        /// Links of a row, 2 to 256; `None`: 32.
        m: Option<u32>,
        /// Candidates followed in a search, 1 to 65,536; `None`: 64.
        ef: Option<u32>,
    },
    /// A FAISS factory string.
    Factory {
        /// The description, without parameters.
        description: String,
        /// Search parameters as FAISS names them: `nprobe=16,ht=3`. Empty for none.
        parameters: String,
    },
}

/// An index with everything chosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResolvedSpec {
    /// Plain loops.
    Host,
    /// FAISS `Flat`.
    Flat,
    /// `search/top_k`.
    Gpu {
        /// Numbers in GPU memory.
        sample: RowSample,
    },
    /// FAISS inverted file.
    Ivf {
        /// Lists.
        nlist: u32,
        /// Lists that are searched.
        nprobe: u32,
        /// Numbers in the lists.
        codes: RowSample,
    },
    /// FAISS scalar quantizer to f16.
    SqFp16,
    /// FAISS graph.
    Hnsw {
        /// Links of a row.
        m: u32,
        /// Candidates followed.
        ef: u32,
    },
    /// A FAISS factory string.
    Factory {
        /// The description.
        description: String,
        /// Its search parameters.
        parameters: String,
    },
}

impl IndexSpec {
    /// Chooses what was left open, for `rows` rows of `dim` numbers; `hardware_gpu`: whether there is a GPU that is not a software
    /// adapter, on which a product of matrices would be 80 times slower than on the host.
    ///
    /// - `auto`: with a hardware GPU `flat-gpu`, up to 4 GiB of rows; else `flat` up to 200,000 rows, `ivf:codes=f16` beyond. Without FAISS:
    ///   `flat-gpu` or `host`.
    /// - `nlist`: `4 sqrt(rows)`, but at most one list for 39 rows (with fewer a list cannot be trained well) and 65,536.
    /// - `nprobe`: a sixteenth of the lists, at least 16.
    ///
    /// # Errors
    /// [`Error::Usage`] for more lists than one for 39 rows, or more searched than there are lists.
    pub fn resolve(&self, rows: u32, dim: usize, hardware_gpu: bool) -> Result<ResolvedSpec> {
        Ok(match self {
            Self::Auto => {
                let gpu = hardware_gpu && u64::from(rows) * dim as u64 * 4 <= GPU_BYTES;
                let chosen = match (gpu, cfg!(feature = "faiss"), rows <= FLAT_ROWS) {
                    (true, ..) => Self::FlatGpu { sample: RowSample::F32 },
                    (_, false, _) => Self::Host,
                    (_, _, true) => Self::Flat,
                    _ => Self::Ivf { nlist: None, nprobe: None, codes: Some(RowSample::F16) },
                };
                chosen.resolve(rows, dim, hardware_gpu)?
            }
            Self::Host => ResolvedSpec::Host,
            Self::Flat => ResolvedSpec::Flat,
            Self::FlatGpu { sample } => ResolvedSpec::Gpu { sample: *sample },
            Self::SqFp16 => ResolvedSpec::SqFp16,
            Self::Hnsw { m, ef } => ResolvedSpec::Hnsw { m: m.unwrap_or(32), ef: ef.unwrap_or(64) },
            Self::Factory { description, parameters } => {
                ResolvedSpec::Factory { description: description.clone(), parameters: parameters.clone() }
            }
            Self::Ivf { nlist, nprobe, codes } => {
                let own = (4.0 * f64::from(rows).sqrt()) as u32;
                let nlist = nlist.unwrap_or_else(|| own.min(rows / POINTS_PER_LIST).clamp(1, MAX_LISTS));
                let most = (rows / POINTS_PER_LIST).max(1);
                if nlist > most {
                    return Err(Error::usage(format!(
                        "index `ivf`: nlist must be at most {most} for {rows} rows ({POINTS_PER_LIST} for each list), got {nlist}"
                    )));
                }
                let nprobe = nprobe.unwrap_or_else(|| (nlist / 16).max(16).min(nlist));
                if nprobe > nlist {
                    return Err(Error::usage(format!(
                        "index `ivf`: nprobe must be at most nlist, {nlist}, got {nprobe}"
                    )));
                }
                ResolvedSpec::Ivf { nlist, nprobe, codes: codes.unwrap_or(RowSample::F32) }
            }
        })
    }
}

impl FromStr for IndexSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, rest) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let settings = Settings { text, rest: rest.unwrap_or_default() };
        if rest == Some("") {
            return Err(refused(text, "something after `:`"));
        }
        match name {
            "auto" => settings.only(&[]).map(|()| Self::Auto),
            "host" => settings.only(&[]).map(|()| Self::Host),
            "flat" => settings.only(&[]).map(|()| Self::Flat),
            "sqfp16" => settings.only(&[]).map(|()| Self::SqFp16),
            "flat-gpu" => match rest {
                None | Some("f32") => Ok(Self::FlatGpu { sample: RowSample::F32 }),
                Some("f16") => Ok(Self::FlatGpu { sample: RowSample::F16 }),
                Some(_) => Err(refused(text, "`f32` or `f16` after `flat-gpu:`")),
            },
            "ivf" => {
                settings.only(&["nlist", "nprobe", "codes"])?;
                let codes = match settings.get("codes") {
                    None => None,
                    Some("f32") => Some(RowSample::F32),
                    Some("f16") => Some(RowSample::F16),
                    Some(_) => return Err(refused(text, "`codes` to be `f32` or `f16`")),
                };
                let nlist = settings.number("nlist", 1, MAX_LISTS)?;
                Ok(Self::Ivf { nlist, nprobe: settings.number("nprobe", 1, MAX_LISTS)?, codes })
            }
            "hnsw" => {
                settings.only(&["m", "ef"])?;
                Ok(Self::Hnsw { m: settings.number("m", 2, 256)?, ef: settings.number("ef", 1, 65_536)? })
            }
            // FAISS descriptions begin with a capital letter, our names with a small one.
            _ if name.starts_with(|c: char| c.is_ascii_uppercase()) && name.is_ascii() && !name.contains('\0') => {
                settings.pairs().try_for_each(|pair| match pair {
                    Some((name, value)) if !name.is_empty() && value.parse::<f64>().is_ok_and(f64::is_finite) => Ok(()),
                    _ => Err(refused(text, "`name=number` pairs after `:`")),
                })?;
                Ok(Self::Factory { description: name.into(), parameters: settings.rest.into() })
            }
            _ => Err(refused(text, WANTED)),
        }
    }
}

fn refused(text: &str, wanted: &str) -> Error {
    Error::usage(format!("an index must be {wanted}, got `{text}`"))
}

/// What stands behind the colon.
struct Settings<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Settings<'a> {
    fn pairs(&self) -> impl Iterator<Item = Option<(&'a str, &'a str)>> {
        self.rest.split(',').filter(|_| !self.rest.is_empty()).map(|pair| pair.split_once('='))
    }

    /// Refuses names that are not in `known`, and doubled ones.
    fn only(&self, known: &[&str]) -> Result<()> {
        let mut seen = Vec::new();
        for pair in self.pairs() {
            let name = pair.map_or("", |(name, _)| name);
            if !known.contains(&name) || seen.contains(&name) {
                let wanted = match known {
                    [] => "a name without settings".into(),
                    _ => format!("`name=value` pairs of {} after `:`", known.join(", ")),
                };
                return Err(refused(self.text, &wanted));
            }
            seen.push(name);
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.pairs().flatten().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.parse() {
            Ok(n) if (least..=most).contains(&n) => Ok(Some(n)),
            _ => Err(refused(self.text, &format!("`{name}` from {least} to {most}"))),
        }
    }
}

impl fmt::Display for IndexSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pairs = Vec::new();
        let mut pair = |name: &str, value: Option<u32>| pairs.extend(value.map(|v| format!("{name}={v}")));
        let name = match self {
            Self::Auto => "auto",
            Self::Host => "host",
            Self::Flat => "flat",
            Self::FlatGpu { sample: RowSample::F32 } => "flat-gpu",
            Self::FlatGpu { sample: RowSample::F16 } => "flat-gpu:f16",
            Self::SqFp16 => "sqfp16",
            Self::Ivf { nlist, nprobe, codes } => {
                pair("nlist", *nlist);
                pair("nprobe", *nprobe);
                pairs.extend(codes.map(|c| format!("codes={c}")));
                "ivf"
            }
            Self::Hnsw { m, ef } => {
                pair("m", *m);
                pair("ef", *ef);
                "hnsw"
            }
            Self::Factory { description, parameters } => {
                pairs.extend(Some(parameters.clone()).filter(|p| !p.is_empty()));
                description
            }
        };
        f.write_str(name)?;
        if pairs.is_empty() { Ok(()) } else { write!(f, ":{}", pairs.join(",")) }
    }
}

impl From<ResolvedSpec> for IndexSpec {
    fn from(spec: ResolvedSpec) -> Self {
        match spec {
            ResolvedSpec::Host => Self::Host,
            ResolvedSpec::Flat => Self::Flat,
            ResolvedSpec::Gpu { sample } => Self::FlatGpu { sample },
            ResolvedSpec::Ivf { nlist, nprobe, codes } => {
                Self::Ivf { nlist: Some(nlist), nprobe: Some(nprobe), codes: Some(codes) }
            }
            ResolvedSpec::SqFp16 => Self::SqFp16,
            ResolvedSpec::Hnsw { m, ef } => Self::Hnsw { m: Some(m), ef: Some(ef) },
            ResolvedSpec::Factory { description, parameters } => Self::Factory { description, parameters },
        }
    }
}

impl fmt::Display for ResolvedSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IndexSpec::from(self.clone()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways() {
        for text in [
            "auto",
            "host",
            "flat",
            "flat-gpu",
            "flat-gpu:f16",
            "ivf",
            "ivf:nlist=7",
            "ivf:nlist=7,nprobe=3,codes=f16",
            "sqfp16",
            "hnsw",
            "hnsw:m=16,ef=200",
            "HNSW32,Flat",
            "IVF256,SQ8:nprobe=16",
            "PCA64,IVF10_HNSW32,Flat:nprobe=2,efSearch=9",
        ] {
            let spec: IndexSpec = text.parse().expect(text);
            assert_eq!(spec.to_string(), text);
        }
        assert_eq!("flat-gpu:f32".parse::<IndexSpec>().unwrap().to_string(), "flat-gpu");
    }

    #[test]
    fn refusals_say_what_is_wanted() {
        for (text, part) in [
            ("", "`flat-gpu[:f16]`"),
            ("Flät", "factory string"),
            ("flat:", "something after"),
            ("flat:nlist=3", "without settings"),
            ("flat-gpu:f64", "`f32` or `f16`"),
            ("ivf:lists=3", "nlist, nprobe, codes"),
            ("ivf:nlist=0", "`nlist` from 1 to 65536"),
            ("ivf:nlist=3,nlist=4", "pairs of"),
            ("ivf:nlist", "pairs of"),
            ("ivf:codes=u8", "`codes` to be"),
            ("hnsw:m=1", "`m` from 2 to 256"),
            ("IVF16,Flat:nprobe=x", "`name=number`"),
        ] {
            let e = text.parse::<IndexSpec>().unwrap_err();
            assert!(e.to_string().contains(part) && e.exit_code() == 2, "{text}: {e}");
        }
    }

    #[test]
    fn choices_follow_the_number_of_rows() {
        let choose =
            |text: &str, rows, gpu| text.parse::<IndexSpec>().unwrap().resolve(rows, 376, gpu).unwrap().to_string();
        assert_eq!(choose("auto", 1000, true), "flat-gpu");
        if cfg!(feature = "faiss") {
            assert_eq!(choose("auto", 200_000, false), "flat");
            assert_eq!(choose("auto", 1_000_000, false), "ivf:nlist=4000,nprobe=250,codes=f16");
            // Too large for a GPU by our rule.
            assert_eq!(choose("auto", 4_000_000, true), "ivf:nlist=8000,nprobe=500,codes=f16");
        } else {
            assert_eq!(choose("auto", 1_000_000, false), "host");
        }
        // Bounded by the rows a list is trained with.
        assert_eq!(choose("ivf", 1000, false), "ivf:nlist=25,nprobe=16,codes=f32");
        assert_eq!(choose("ivf", 10, false), "ivf:nlist=1,nprobe=1,codes=f32");
        assert_eq!(choose("ivf", 0, false), "ivf:nlist=1,nprobe=1,codes=f32");
        assert_eq!(choose("hnsw:ef=5", 10, false), "hnsw:m=32,ef=5");
        for bad in ["ivf:nlist=11", "ivf:nlist=4,nprobe=5"] {
            assert!(bad.parse::<IndexSpec>().unwrap().resolve(428, 4, false).is_err(), "{bad}");
        }
    }
}
