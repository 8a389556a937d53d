//! The ledger on disk. Damage is not repaired: the directory is moved aside and a new ledger begun.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::sled::{Batch, Db, Error};
use hourglass_events::{Incarnation, SandboxId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Flush, Ledger, LedgerError, Memory, Write};

/// What the entries look like. Another layout is not read but built anew.
const LAYOUT: u32 = 1;

/// How long sled may hold a directory after its database was dropped: threads of its own still finish with it.
const LINGERING: Duration = Duration::from_secs(2);
/// Between two looks whether it is free.
const PAUSE: Duration = Duration::from_millis(5);

const LAYOUT_KEY: &[u8] = b"layout";
const INCARNATION_KEY: &[u8] = b"incarnation";
// One letter before each key keeps everything in one tree, so that writes made together are one batch.
const SANDBOX: u8 = b'b';
const REPORT: u8 = b'r';
const USE: u8 = b'u';

/// Remembers in a sled database.
#[derive(Debug)]
pub struct SledLedger {
    path: PathBuf,
    db: Arc<Db>,
    memory: Memory,
    aside: Option<PathBuf>,
}

impl SledLedger {
    /// The ledger in the directory `path`, made if there is none. One that cannot be understood is moved aside to
    /// `path.damaged-N`, with a warning.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        match Self::read(path) {
            Ok(ledger) => Ok(ledger),
            Err(Trouble::Refused(error)) => Err(error),
            Err(Trouble::Damaged(found)) => {
                let aside = move_aside(path)?;
                tracing::warn!(
                    ledger = %path.display(), %found, kept = %aside.display(),
                    "the host ledger is damaged; it is moved aside and built anew from what is on this machine"
                );
                let built = Self::read(path).map_err(|trouble| match trouble {
                    Trouble::Refused(error) => error,
                    Trouble::Damaged(error) => LedgerError::Unreadable { path: path.to_owned(), error },
                })?;
                Ok(Self { aside: Some(aside), ..built })
            }
        }
    }

    /// Read it, waiting for whoever is just letting go of it.
    fn read(path: &Path) -> Result<Self, Trouble> {
        let deadline = Instant::now() + LINGERING;
        loop {
            match Self::attempt(path) {
                Err(Trouble::Refused(LedgerError::InUse { .. })) if Instant::now() < deadline => {
                    std::thread::sleep(PAUSE);
                }
                done => return done,
            }
        }
    }

    fn attempt(path: &Path) -> Result<Self, Trouble> {
        let open = || ::sled::Config::new().path(path).flush_every_ms(Some(100)).open();
        // sled panics on some of what it finds; to us that is damage like any other.
        let db = catch_unwind(AssertUnwindSafe(open))
            .map_err(|_| Trouble::Damaged("the database cannot be opened".to_owned()))?
            .map_err(|error| Trouble::of(path, error))?;
        let memory = load(&db).map_err(|error| Trouble::of(path, error))?;
        Ok(Self { path: path.to_owned(), db: Arc::new(db), memory, aside: None })
    }

    /// Where a damaged ledger was moved to when this one was opened in its place.
    #[must_use]
    pub fn moved_aside(&self) -> Option<&Path> {
        self.aside.as_deref()
    }
}

fn unwritable(path: &Path, error: impl Display) -> LedgerError {
    LedgerError::Unwritable { path: path.to_owned(), error: error.to_string() }
}

impl Ledger for SledLedger {
    fn begin(&mut self, wall: Timestamp) -> Result<Memory, LedgerError> {
        let incarnation = self.memory.next_incarnation(wall);
        self.memory.incarnation = incarnation;
        self.db
            .insert(INCARNATION_KEY, &incarnation.0.to_be_bytes())
            .and_then(|_| self.db.flush())
            .map_err(|error| unwritable(&self.path, error))?;
        Ok(std::mem::replace(&mut self.memory, Memory { incarnation, ..Memory::default() }))
    }

    fn write(&mut self, writes: &[Write]) -> Result<(), LedgerError> {
        let mut batch = Batch::default();
        for write in writes {
            match write {
                Write::Sandbox(sandbox, entry) => batch.insert(key(SANDBOX, *sandbox), bytes(entry)),
                Write::Forget(sandbox) => batch.remove(key(SANDBOX, *sandbox)),
                Write::Report(report) => batch.insert(report_key(report.serial), bytes(report)),
                Write::Drop(serial) => batch.remove(report_key(*serial)),
                Write::Use(sandbox, last) => batch.insert(key(USE, *sandbox), bytes(last)),
                Write::Unused(sandbox) => batch.remove(key(USE, *sandbox)),
            }
        }
        self.db.apply_batch(batch).map_err(|error| unwritable(&self.path, error))
    }

    fn flusher(&self) -> Flush {
        // The directory must come free for the next life even while somebody may still want to flush this one.
        let (db, path) = (Arc::downgrade(&self.db), self.path.clone());
        Arc::new(move || match db.upgrade() {
            None => Ok(()),
            Some(db) => db.flush().map(drop).map_err(|error| unwritable(&path, error)),
        })
    }
}

/// Why a directory is not a ledger we can use.
enum Trouble {
    Refused(LedgerError),
    Damaged(String),
}

impl Trouble {
    fn of(path: &Path, error: Error) -> Self {
        let path = path.to_owned();
        match error {
            Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Damaged(error.to_string())
            }
            // sled reports a held lock as an error of its own making, told only by its words.
            Error::Io(error) if error.to_string().contains("could not acquire lock") => {
                Self::Refused(LedgerError::InUse { path })
            }
            Error::Io(error) => Self::Refused(LedgerError::Unreadable { path, error: error.to_string() }),
            Error::Corruption { .. }
            | Error::ReportableBug(_)
            | Error::Unsupported(_)
            | Error::CollectionNotFound(_) => Self::Damaged(error.to_string()),
        }
    }
}

fn load(db: &Db) -> Result<Memory, Error> {
    match db.get(LAYOUT_KEY)? {
        Some(layout) if *layout == LAYOUT.to_be_bytes() => {}
        Some(layout) => return Err(damaged(format!("its layout is {layout:?}, not {LAYOUT}"))),
        None if db.is_empty() => {
            db.insert(LAYOUT_KEY, &LAYOUT.to_be_bytes())?;
        }
        None => return Err(damaged("it has no layout")),
    }
    let mut memory = Memory::default();
    if let Some(found) = db.get(INCARNATION_KEY)? {
        let found = found.as_ref().try_into().map_err(|_| damaged("its incarnation is no number"))?;
        memory.incarnation = Incarnation(u64::from_be_bytes(found));
    }
    for item in db.scan_prefix([SANDBOX]) {
        let (key, value) = item?;
        if let Ok(id) = <[u8; 17]>::try_from(key.as_ref()) {
            memory.sandboxes.insert(sandbox(id), parse(&value)?);
        }
    }
    for item in db.scan_prefix([REPORT]) {
        let report: hourglass_events::Report = parse(&item?.1)?;
        memory.reports.insert(report.serial, report);
    }
    for item in db.scan_prefix([USE]) {
        let (key, value) = item?;
        if let Ok(id) = <[u8; 17]>::try_from(key.as_ref()) {
            memory.uses.insert(sandbox(id), parse(&value)?);
        }
    }
    Ok(memory)
}

fn move_aside(path: &Path) -> Result<PathBuf, LedgerError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = (1_u32..)
        .map(|count| path.with_file_name(format!("{name}.damaged-{count}")))
        .find(|aside| !aside.exists())
        .unwrap_or_default();
    std::fs::rename(path, &aside)
        .map_err(|error| LedgerError::Unreadable { path: path.to_owned(), error: error.to_string() })?;
    Ok(aside)
}

fn key(kind: u8, sandbox: SandboxId) -> Vec<u8> {
    [&[kind], sandbox.0.as_bytes().as_slice()].concat()
}

fn report_key(serial: u64) -> Vec<u8> {
    [&[REPORT], serial.to_be_bytes().as_slice()].concat()
}

fn sandbox(key: [u8; 17]) -> SandboxId {
    let [_, id @ ..] = key;
    SandboxId::from_u128(u128::from_be_bytes(id))
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    // Only maps with odd keys or a failing writer can fail; there is neither. Nothing would be read back as damage.
    rmp_serde::to_vec_named(value).unwrap_or_default()
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    rmp_serde::from_slice(bytes).map_err(|error| damaged(error.to_string()))
}

fn damaged(found: impl Into<String>) -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, found.into()))
}
