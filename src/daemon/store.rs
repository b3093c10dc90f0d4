//! The store: an append-only table of facts in SQLite, written by one thread
//! that owns the connection. Anybody may read it with `sqlite3`.

mod rehearsals;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use tokio::sync::oneshot;

use crate::model::{Name, Timestamp, WatchId};
use crate::record::{Fact, Stored};
use crate::watch::Noted;

pub use rehearsals::{confirm, expect_confirmations, keep_rehearsal};

/// The file's name in a state directory.
pub const FILE: &str = "bakewatch.db";

/// For another process's short look at the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// One step each; `user_version` counts those that are done. Never changed,
/// only added to.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE facts (
        watch   TEXT    NOT NULL, -- service@version
        seq     INTEGER NOT NULL, -- from 1, without gaps
        at      INTEGER NOT NULL, -- milliseconds since the epoch, UTC
        kind    TEXT    NOT NULL,
        version INTEGER NOT NULL, -- of the body's form
        body    TEXT    NOT NULL, -- JSON
        PRIMARY KEY (watch, seq)
    ) STRICT; -- with row ids: a body of 1 kB shares its page with others

    CREATE TABLE finished (watch TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE rehearsals ( -- the last test of each service's channels
        service TEXT NOT NULL PRIMARY KEY,
        body    TEXT NOT NULL -- JSON
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE confirmations ( -- links in the letters of those tests
        token   TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of it, in hex
        service TEXT    NOT NULL,
        channel TEXT    NOT NULL,
        stage   TEXT    NOT NULL,
        sent_at INTEGER NOT NULL, -- the test's time, as `at` of facts
        seen_at INTEGER           -- when a person followed it
    ) STRICT, WITHOUT ROWID;
",
];

/// A watch's facts, in order.
pub type Facts = Vec<(Timestamp, Fact)>;

enum Order {
    Append(Vec<Noted>),
    Finish(WatchId),
}

type Request = (Order, oneshot::Sender<Result<(), String>>);

/// The writer's handle.
pub struct Store {
    orders: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store of a state directory, checks it, and brings its form up
    /// to date.
    ///
    /// # Errors
    /// A directory that cannot be written, a damaged file, or one that a newer
    /// bakewatch wrote; with the file's path.
    pub fn open(dir: &Path) -> Result<Store, String> {
        Store::start(writable(&dir.join(FILE))?)
    }

    /// As `open`, with a ceiling on the file's size in pages: a full disk, for tests.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_bounded(dir: &Path, pages_max: u32) -> Result<Store, String> {
        let connection = writable(&dir.join(FILE))?;
        let bound = connection.pragma_update(None, "max_page_count", pages_max);
        bound.map_err(|error| error.to_string())?;
        Store::start(connection)
    }

    fn start(mut connection: Connection) -> Result<Store, String> {
        let (orders, queue) = mpsc::channel::<Request>();
        let work = move || {
            let mut sync = "FULL"; // as it was opened
            for (order, done) in queue {
                let result = match order {
                    Order::Append(noted) => append(&mut connection, &mut sync, &noted),
                    Order::Finish(watch) => finish(&connection, &watch),
                };
                // Whoever asked may have been dropped; the work is done all the same.
                let _ = done.send(result.map_err(|error| error.to_string()));
            }
        };
        let writer = std::thread::Builder::new().name("store".to_owned()).spawn(work);
        let writer = writer.map_err(|error| format!("no thread for the store: {error}"))?;
        Ok(Store { orders: Some(orders), writer: Some(writer) })
    }

    /// Writes facts in one transaction; with a decision among them done when
    /// they are synced, and all before them.
    ///
    /// # Errors
    /// What the disk said. Nothing of it was kept then.
    pub async fn append(&self, noted: Vec<Noted>) -> Result<(), String> {
        self.begin(Order::Append(noted)).done().await
    }

    /// Begins to do the same, for whoever cannot wait for a slow disk.
    pub fn begin_append(&self, noted: Vec<Noted>) -> Writing {
        self.begin(Order::Append(noted))
    }

    /// Marks a watch as over: it is not taken up again.
    ///
    /// # Errors
    /// What the disk said.
    pub async fn finish(&self, watch: WatchId) -> Result<(), String> {
        self.begin(Order::Finish(watch)).done().await
    }

    fn begin(&self, order: Order) -> Writing {
        let (done, answer) = oneshot::channel();
        if let Some(orders) = &self.orders {
            // Where the writer is gone, so is `done`: the answer tells it.
            let _ = orders.send((order, done));
        }
        Writing { answer, told: None }
    }
}

/// Something that the store is about to write.
pub struct Writing {
    answer: oneshot::Receiver<Result<(), String>>,
    told: Option<Result<(), String>>,
}

impl Writing {
    /// Waits until it is synced. May be given up, and asked again.
    ///
    /// # Errors
    /// What the disk said. Nothing of it was kept then.
    pub async fn done(&mut self) -> Result<(), String> {
        if let Some(told) = &self.told {
            return told.clone();
        }
        let gone = |_| Err("the store's writer is gone".to_owned());
        let told = (&mut self.answer).await.unwrap_or_else(gone);
        self.told.insert(told).clone()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.orders = None; // ends the writer's queue
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was told by its last answer.
            let _ = writer.join();
        }
    }
}

/// A look at a store, which may be in use.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the store of a state directory to read it.
    ///
    /// # Errors
    /// There is none, or it cannot be read; with its path.
    pub fn open(dir: &Path) -> Result<Reader, String> {
        let path = dir.join(FILE);
        let at = |error: rusqlite::Error| in_words(&path, &error);
        must_be_whole(&path)?;
        if !path.exists() {
            return Err(format!("{}: no release has been watched here yet", path.display()));
        }
        // Not read-only: a WAL file left by a crash can only be read by one
        // who may make its index.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(at)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
        Ok(Reader { connection, path })
    }

    /// All watches, or only those that are not over, by id.
    ///
    /// # Errors
    /// What the disk said, with the path.
    pub fn watches(&self, open_only: bool) -> Result<Vec<WatchId>, String> {
        let query = "SELECT DISTINCT watch FROM facts
            WHERE NOT (?1 AND watch IN (SELECT watch FROM finished)) ORDER BY watch";
        let read = || {
            let mut query = self.connection.prepare(query)?;
            let rows = query.query_map([open_only], |row| row.get::<_, String>(0))?;
            rows.map(|name| Ok(WatchId(name?.into()))).collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| in_words(&self.path, &error))
    }

    /// The watch that was opened last.
    ///
    /// # Errors
    /// What the disk said, with the path.
    pub fn latest(&self) -> Result<Option<WatchId>, String> {
        let query = "SELECT watch FROM facts WHERE seq = 1 ORDER BY at DESC, rowid DESC LIMIT 1";
        let name = self.connection.query_row(query, [], |row| row.get::<_, String>(0)).optional();
        let name = name.map_err(|error| in_words(&self.path, &error))?;
        Ok(name.map(|name| WatchId(name.into())))
    }

    /// The watches of a service, the latest first.
    ///
    /// # Errors
    /// What the disk said, with the path.
    pub fn of_service(&self, service: &Name) -> Result<Vec<WatchId>, String> {
        let query = "SELECT watch FROM facts WHERE seq = 1 ORDER BY at DESC, rowid DESC";
        let read = || {
            let mut query = self.connection.prepare(query)?;
            let rows = query.query_map([], |row| row.get::<_, String>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let all = read().map_err(|error| in_words(&self.path, &error))?;
        let is_of =
            |id: &String| id.split_once('@').is_some_and(|(of, _)| *of == *service.as_str());
        Ok(all.into_iter().filter(is_of).map(|id| WatchId(id.into())).collect())
    }

    /// A watch's facts, in order.
    ///
    /// # Errors
    /// A gap, or a fact that this version cannot read: such a record must not
    /// be continued.
    pub fn facts(&self, watch: &WatchId) -> Result<Facts, String> {
        let query = "SELECT seq, at, kind, version, body FROM facts WHERE watch = ?1 ORDER BY seq";
        let read = || {
            let mut query = self.connection.prepare(query)?;
            let rows = query.query_map([watch.0.as_str()], |row| {
                let stored = Stored { kind: row.get(2)?, version: row.get(3)?, body: row.get(4)? };
                Ok((row.get::<_, i64>(0)?, Timestamp::from_millis(row.get(1)?), stored))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = read().map_err(|error| in_words(&self.path, &error))?;
        let mut facts = Vec::with_capacity(rows.len());
        for (due, (seq, at, stored)) in (1..).zip(rows) {
            if seq != due {
                return Err(self.at(&format!("{watch}: fact {due} is missing")));
            }
            let fact =
                stored.decode().map_err(|e| self.at(&format!("{watch}, fact {seq}: {e}")))?;
            facts.push((at, fact));
        }
        Ok(facts)
    }

    /// The facts of every watch that is not over.
    ///
    /// # Errors
    /// As `facts`.
    pub fn load_open(&self) -> Result<Vec<(WatchId, Facts)>, String> {
        let open = self.watches(true)?;
        open.into_iter().map(|watch| Ok((watch.clone(), self.facts(&watch)?))).collect()
    }

    fn at(&self, what: &dyn std::fmt::Display) -> String {
        format!("{}: {what}", self.path.display())
    }
}

fn writable(path: &Path) -> Result<Connection, String> {
    must_be_whole(path)?;
    let at = |error: rusqlite::Error| in_words(path, &error);
    let mut connection = Connection::open(path).map_err(at)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(at)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(at)?;
    let check: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(at)?;
    if check != "ok" {
        return Err(damaged(path, &check));
    }
    migrate(&mut connection).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(connection)
}

/// SQLite takes a file of no bytes for a new one, and throws away the log that
/// lies beside it: then facts would be gone that were promised.
fn must_be_whole(path: &Path) -> Result<(), String> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    if length(path) == 0 && length(&log) > 0 {
        let what = format!("it is empty, and {} beside it is not", log.display());
        return Err(damaged(path, &what));
    }
    Ok(())
}

/// Nothing is mended here, and nothing thrown away: somebody has to decide.
fn damaged(path: &Path, what: &str) -> String {
    let path = path.display();
    format!(
        "{path}: the file is damaged ({what}); restore a copy, or move it away together with \
         {path}-wal to begin anew; `sqlite3 {path} .recover` shows what can still be read"
    )
}

fn in_words(path: &Path, error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, ReadOnly};
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => damaged(path, &error.to_string()),
        Some(DiskFull) => format!("{shown}: {error}; make room, or give another --state-dir"),
        Some(ReadOnly) => {
            format!("{shown}: {error}; make it writable, or give another --state-dir")
        }
        _ => format!("{shown}: {error}"),
    }
}

fn migrate(connection: &mut Connection) -> Result<(), String> {
    let words = |error: rusqlite::Error| error.to_string();
    let query = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
    let done = query.map_err(words)? as usize;
    if done > MIGRATIONS.len() {
        return Err(format!(
            "written by a newer bakewatch (form {done}; this one knows {})",
            MIGRATIONS.len()
        ));
    }
    for (form, step) in (1u32..).zip(MIGRATIONS).skip(done) {
        let transaction = connection.transaction().map_err(words)?;
        transaction.execute_batch(step).map_err(words)?;
        transaction.pragma_update(None, "user_version", form).map_err(words)?;
        transaction.commit().map_err(words)?;
    }
    Ok(())
}

/// `sync`: what the connection syncs.
fn append(
    connection: &mut Connection,
    sync: &mut &'static str,
    noted: &[Noted],
) -> Result<(), String> {
    let words = |error: rusqlite::Error| error.to_string();
    // What a crash of the machine loses of measurements is blind time: they
    // are synced with the next decision. (A crash of ours loses none.)
    let wanted = if noted.iter().any(|one| one.decision) { "FULL" } else { "NORMAL" };
    if *sync != wanted {
        connection.pragma_update(None, "synchronous", wanted).map_err(words)?;
        *sync = wanted;
    }
    let transaction = connection.transaction().map_err(words)?;
    for one in noted {
        append_one(&transaction, one)?;
    }
    transaction.commit().map_err(words)
}

fn append_one(connection: &Connection, one: &Noted) -> Result<(), String> {
    let seq = i64::try_from(one.seq).expect("a watch has fewer facts than 2^63");
    let insert = "INSERT INTO facts (watch, seq, at, kind, version, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let fact = &one.fact;
    let row =
        params![one.watch.0.as_str(), seq, one.at.millis(), fact.kind, fact.version, fact.body];
    let mut insert = connection.prepare_cached(insert).map_err(|error| error.to_string())?;
    if insert.execute(row).map_err(|error| error.to_string())? == 1 {
        return Ok(());
    }
    // A commit can fail in its last step and be on disk all the same; then the
    // same fact comes again. Another fact in its place is another matter.
    let known = "SELECT body FROM facts WHERE watch = ?1 AND seq = ?2 AND kind = ?3";
    let row = params![one.watch.0.as_str(), seq, fact.kind];
    let known = connection.query_row(known, row, |row| row.get::<_, String>(0)).optional();
    match known.map_err(|error| error.to_string())? {
        Some(body) if body == fact.body => Ok(()),
        _ => Err(format!("{}: fact {seq} is there already, and is another", one.watch)),
    }
}

fn finish(connection: &Connection, watch: &WatchId) -> Result<(), String> {
    let insert = "INSERT INTO finished (watch) VALUES (?1) ON CONFLICT DO NOTHING";
    connection.execute(insert, [watch.0.as_str()]).map(|_| ()).map_err(|error| error.to_string())
}
