//! Durable state: atomic commit, journal, run key, cache. Every durable byte goes through here.
//!
//! The order is always the same: a temporary file in the same folder, write, check, fsync, rename, fsync of the folder, and
//! only then a journal record. A file without a record is not done; a record without its file is damage. After a power cut
//! or `kill -9` at any moment the folder holds the old file or the new one, whole, and the journal a valid prefix that
//! contains every record whose [`Journal::append`] returned.
//!
//! | file | what it promises |
//! |---|---|
//! | [`commit()`], [`Staged`] | a name that is visible is a whole file |
//! | [`Journal`] | records survive once `append` returned; a torn tail is cut, damage and foreign files are told apart |
//! | [`RunKey`] | everything that can change an output byte, with names, so that a mismatch can say what differs |
//! | [`UnitLog`] | units done so far, each with the hashes of its outputs; what resume is built on |
//! | [`GroupLog`] | findings so far, unit by unit; those of the parts of a run unite |
//! | [`StateDir`] | one owner per folder, through a lock that the kernel releases |
//! | [`Cache`] | entries that are a hit, missing, corrupt, stale or foreign, never a guess |
//! | [`Fingerprint`] | content id of an input file |
//!
//! All of it works on a [`StoreIo`], so that the tests can cut the power between any two calls; programs pass [`OsIo`].

mod cache;
mod commit;
#[doc(hidden)]
pub mod crash_fs;
mod fingerprint;
mod groups;
mod io;
mod journal;
mod journal_format;
mod lock;
mod os_io;
mod output;
mod run_key;
mod units;

pub use blake3::Hash;
pub use cache::{Cache, Lookup};
pub use commit::{Committed, Staged, clean_temps, commit, commit_json, output_folder};
pub use fingerprint::Fingerprint;
#[cfg(feature = "workflows")]
pub(crate) use groups::of_other_runs;
pub use groups::{GroupId, GroupLog, Groups, gather_groups, unite_groups};
pub use io::{LockGuard, StoreDir, StoreFile, StoreIo};
pub use journal::{DroppedTail, Journal, Record, Recovered};
pub use lock::StateDir;
#[cfg(feature = "workflows")]
pub(crate) use lock::forget;
pub use os_io::OsIo;
pub use run_key::{RunKey, RunKeyBuilder};
pub use units::{OutputRef, UnitLog, UnitRecord, unite_units};
