//! A file system in memory whose power can be cut between, and in, any two calls. For tests.
//!
//! The model is harsher than real file systems: until a file is synced, each of its 512-byte sectors may or may not have
//! reached the disk, with the length of any moment since; until a folder is synced, each creation, rename and removal may or
//! may not have happened, in any order; after a failed sync the data is lost although the next sync says it is fine (as Linux
//! does). Folders themselves are durable at once.
#![allow(clippy::indexing_slicing, reason = "a test double: indexes come from its own tables")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::io::{LockGuard, StoreDir, StoreFile, StoreIo, check_name};

const SECTOR: usize = 512;

/// What happens to the calls of a [`CrashFs`], which are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Everything works.
    None,
    /// The power goes off during this call: part of a write may happen, every later call fails.
    PowerCut(u64),
    /// This call fails with this kind of error; a write leaves half of its bytes.
    Once(u64, ErrorKind),
    /// This call and all later ones that take space fail (a full disk).
    Full(u64),
}

#[derive(Debug, Default, Clone)]
struct Inode {
    durable: Vec<u8>,
    live: Vec<u8>,
    lengths: Vec<usize>,
    lost: bool,
    links: usize,
}

#[derive(Debug, Clone)]
enum Change {
    Link(OsString, usize),
    Rename(OsString, OsString, usize),
    Unlink(OsString),
}

#[derive(Debug, Default, Clone)]
struct Folder {
    durable: BTreeMap<OsString, usize>,
    live: BTreeMap<OsString, usize>,
    pending: Vec<Change>,
}

#[derive(Debug)]
struct State {
    inodes: Vec<Inode>,
    folders: BTreeMap<PathBuf, Folder>,
    claims: BTreeSet<usize>,
    locks: BTreeSet<PathBuf>,
    calls: u64,
    fault: Fault,
    off: bool,
    nonce: u64,
}

/// What a call may do.
enum Leave {
    Go,
    /// Do a part, then fail.
    Half(io::Error),
}

impl State {
    fn call(&mut self, takes_space: bool) -> io::Result<Leave> {
        if self.off {
            return Err(io::Error::other("the power is off"));
        }
        let n = self.calls;
        self.calls += 1;
        match self.fault {
            Fault::PowerCut(at) if n >= at => {
                self.off = true;
                Ok(Leave::Half(io::Error::other("the power went off")))
            }
            Fault::Once(at, kind) if n == at => Ok(Leave::Half(kind.into())),
            Fault::Full(at) if n >= at && takes_space => Ok(Leave::Half(ErrorKind::StorageFull.into())),
            _ => Ok(Leave::Go),
        }
    }

    /// For calls that happen wholly or not at all.
    fn whole(&mut self, takes_space: bool) -> io::Result<()> {
        match self.call(takes_space)? {
            Leave::Go => Ok(()),
            Leave::Half(e) => Err(e),
        }
    }

    fn folder(&mut self, path: &Path) -> io::Result<&mut Folder> {
        self.folders.get_mut(path).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

/// The file system. Clones share it.
#[derive(Debug, Clone)]
pub struct CrashFs(Arc<Mutex<State>>);

impl CrashFs {
    /// An empty file system.
    pub fn new(fault: Fault) -> Self {
        Self::from_parts(Vec::new(), BTreeMap::new(), fault, 0)
    }

    fn from_parts(inodes: Vec<Inode>, folders: BTreeMap<PathBuf, Folder>, fault: Fault, nonce: u64) -> Self {
        let (claims, locks) = Default::default();
        Self(Arc::new(Mutex::new(State { inodes, folders, claims, locks, calls: 0, fault, off: false, nonce })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls made so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Whether the power has been cut.
    pub fn is_off(&self) -> bool {
        self.state().off
    }

    /// Sets what goes wrong next; the count of calls begins anew.
    pub fn set_fault(&self, fault: Fault) {
        let mut state = self.state();
        state.fault = fault;
        state.calls = 0;
    }

    /// The disk as it is found when the power comes back: one of the many allowed states, chosen by `seed`.
    pub fn reboot(&self, seed: u64, fault: Fault) -> Self {
        let state = self.state();
        let mut rng = Rng(seed);
        let inodes = state.inodes.iter().map(|inode| after_power_cut(inode, &mut rng)).collect::<Vec<_>>();
        let mut folders = BTreeMap::new();
        for (path, folder) in &state.folders {
            let mut names = folder.durable.clone();
            let mut changes: Vec<&Change> = folder.pending.iter().filter(|_| rng.below(2) == 0).collect();
            if rng.below(4) == 0 {
                for i in (1..changes.len()).rev() {
                    changes.swap(i, rng.below(i + 1));
                }
            }
            for change in changes {
                match change {
                    Change::Link(name, inode) => drop(names.insert(name.clone(), *inode)),
                    Change::Rename(from, to, inode) => {
                        names.remove(from);
                        names.insert(to.clone(), *inode);
                    }
                    Change::Unlink(name) => drop(names.remove(name)),
                }
            }
            folders.insert(path.clone(), Folder { durable: names.clone(), live: names, pending: Vec::new() });
        }
        let mut inodes = inodes;
        for inode in folders.values().flat_map(|f| f.live.values()) {
            inodes[*inode].links += 1;
        }
        Self::from_parts(inodes, folders, fault, state.nonce)
    }

    /// All files with their content, sorted by path.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        let all = state.folders.iter();
        all.flat_map(|(path, folder)| folder.live.iter().map(move |(name, inode)| (path.join(name), *inode)))
            .map(|(path, inode)| (path, state.inodes[inode].live.clone()))
            .collect()
    }
}

fn after_power_cut(inode: &Inode, rng: &mut Rng) -> Inode {
    let choice = rng.below(inode.lengths.len() + 1);
    let length = inode.lengths.get(choice).copied().unwrap_or(inode.durable.len());
    // Sectors that were never written hold nothing, or what another file left there.
    let rest = if rng.below(2) == 0 { 0 } else { 0xA5 };
    let mut found = vec![rest; length];
    for (sector, bytes) in found.chunks_mut(SECTOR).enumerate() {
        let at = sector * SECTOR;
        let new = !inode.lost && !inode.lengths.is_empty() && rng.below(2) == 0;
        let from = if new { &inode.live } else { &inode.durable };
        let from = from.get(at..).unwrap_or_default();
        let n = from.len().min(bytes.len());
        bytes[..n].copy_from_slice(&from[..n]);
    }
    Inode { durable: found.clone(), live: found, ..Inode::default() }
}

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

impl StoreIo for CrashFs {
    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn StoreDir>> {
        let mut state = self.state();
        state.whole(false)?;
        state.folder(path)?;
        Ok(Box::new(CrashDir { fs: self.clone(), path: path.to_path_buf() }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole(true)?;
        for folder in path.ancestors().filter(|p| !p.as_os_str().is_empty()) {
            state.folders.entry(folder.to_path_buf()).or_default();
        }
        Ok(())
    }
}

#[derive(Debug)]
struct CrashDir {
    fs: CrashFs,
    path: PathBuf,
}

impl CrashDir {
    fn open(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
        check_name(name)?;
        let mut state = self.fs.state();
        state.whole(false)?;
        let inode = state.folder(&self.path)?.live.get(name).copied().ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(CrashFile { fs: self.fs.clone(), inode, at: 0, claimed: false }))
    }
}

impl StoreDir for CrashDir {
    fn path(&self) -> &Path {
        &self.path
    }

    fn create_new(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
        check_name(name)?;
        let mut state = self.fs.state();
        state.whole(true)?;
        let inode = state.inodes.len();
        let folder = state.folder(&self.path)?;
        if folder.live.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        folder.live.insert(name.to_os_string(), inode);
        folder.pending.push(Change::Link(name.to_os_string(), inode));
        state.inodes.push(Inode { links: 1, ..Inode::default() });
        Ok(Box::new(CrashFile { fs: self.fs.clone(), inode, at: 0, claimed: false }))
    }

    fn open_write(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
        self.open(name)
    }

    fn open_read(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
        self.open(name)
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        check_name(to)?;
        let mut state = self.fs.state();
        let leave = state.call(false)?;
        if let Leave::Half(e) = leave
            && !state.off
        {
            return Err(e);
        }
        // When the power goes off in a rename, it may still have been noted.
        let folder = state.folder(&self.path)?;
        let inode = folder.live.remove(from).ok_or(ErrorKind::NotFound)?;
        let replaced = folder.live.insert(to.to_os_string(), inode);
        folder.pending.push(Change::Rename(from.to_os_string(), to.to_os_string(), inode));
        if let Some(old) = replaced {
            state.inodes[old].links -= 1;
        }
        if state.off { Err(io::Error::other("the power went off")) } else { Ok(()) }
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        let mut state = self.fs.state();
        state.whole(false)?;
        let folder = state.folder(&self.path)?;
        let inode = folder.live.remove(name).ok_or(ErrorKind::NotFound)?;
        folder.pending.push(Change::Unlink(name.to_os_string()));
        state.inodes[inode].links -= 1;
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<OsString>> {
        let mut state = self.fs.state();
        state.whole(false)?;
        Ok(state.folder(&self.path)?.live.keys().cloned().collect())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.fs.state();
        state.whole(false)?;
        let folder = state.folder(&self.path)?;
        folder.durable = folder.live.clone();
        folder.pending.clear();
        Ok(())
    }

    fn try_lock(&self, name: &OsStr) -> io::Result<Option<Box<dyn LockGuard>>> {
        check_name(name)?;
        let mut state = self.fs.state();
        state.whole(true)?;
        let path = self.path.join(name);
        if !state.locks.insert(path.clone()) {
            return Ok(None);
        }
        Ok(Some(Box::new(CrashLock { fs: self.fs.clone(), path })))
    }

    fn nonce(&self) -> u64 {
        let mut state = self.fs.state();
        state.nonce += 1;
        state.nonce
    }
}

#[derive(Debug)]
struct CrashLock {
    fs: CrashFs,
    path: PathBuf,
}

impl LockGuard for CrashLock {}

impl Drop for CrashLock {
    fn drop(&mut self) {
        self.fs.state().locks.remove(&self.path);
    }
}

#[derive(Debug)]
struct CrashFile {
    fs: CrashFs,
    inode: usize,
    at: usize,
    claimed: bool,
}

impl Read for CrashFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.fs.state();
        state.whole(false)?;
        let from = state.inodes[self.inode].live.get(self.at..).unwrap_or_default();
        let n = from.len().min(buf.len());
        buf[..n].copy_from_slice(&from[..n]);
        self.at += n;
        Ok(n)
    }
}

impl Write for CrashFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut state = self.fs.state();
        let leave = state.call(true)?;
        let n = if matches!(leave, Leave::Half(_)) { buf.len() / 2 } else { buf.len() };
        let inode = &mut state.inodes[self.inode];
        if inode.live.len() < self.at + n {
            inode.live.resize(self.at + n, 0);
        }
        inode.live[self.at..self.at + n].copy_from_slice(&buf[..n]);
        let length = inode.live.len();
        inode.lengths.push(length);
        self.at += n;
        match leave {
            Leave::Go => Ok(n),
            Leave::Half(e) => Err(e),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for CrashFile {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        let mut state = self.fs.state();
        state.whole(false)?;
        let target = match pos {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::Current(d) => (self.at as u64).checked_add_signed(d),
            SeekFrom::End(d) => (state.inodes[self.inode].live.len() as u64).checked_add_signed(d),
        };
        let target = target.and_then(|t| usize::try_from(t).ok()).ok_or(ErrorKind::InvalidInput)?;
        self.at = target;
        Ok(target as u64)
    }
}

impl StoreFile for CrashFile {
    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.fs.state();
        let leave = state.call(true)?;
        let inode = &mut state.inodes[self.inode];
        match leave {
            Leave::Half(e) => {
                // The kernel drops the pages that it could not write, and forgets.
                inode.lost = true;
                Err(e)
            }
            Leave::Go => {
                if !inode.lost {
                    inode.durable = inode.live.clone();
                    inode.lengths.clear();
                }
                Ok(())
            }
        }
    }

    fn byte_len(&mut self) -> io::Result<u64> {
        let mut state = self.fs.state();
        state.whole(false)?;
        Ok(state.inodes[self.inode].live.len() as u64)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.fs.state();
        state.whole(true)?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let inode = &mut state.inodes[self.inode];
        inode.live.resize(len, 0);
        inode.lengths.push(len);
        Ok(())
    }

    fn try_claim(&mut self) -> io::Result<bool> {
        let mut state = self.fs.state();
        state.whole(false)?;
        if state.inodes[self.inode].links == 0 {
            return Ok(false);
        }
        self.claimed = state.claims.insert(self.inode);
        Ok(self.claimed)
    }
}

impl Drop for CrashFile {
    fn drop(&mut self) {
        if self.claimed {
            self.fs.state().claims.remove(&self.inode);
        }
    }
}
