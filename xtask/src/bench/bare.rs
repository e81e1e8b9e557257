//! The bare program that durability is compared with: spawn `/bin/true`, wait, commit one row, for
//! each step. It does nothing else that Divisi promises, so it bounds what any durable runner of a
//! chain can reach on this disk.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use rusqlite::Connection;

use crate::Result;

/// What the program is told.
#[derive(Args)]
pub(crate) struct Options {
    /// How many steps.
    #[arg(long)]
    steps: u32,
    /// The database to create.
    #[arg(long)]
    database: PathBuf,
}

/// Spawns and commits, step by step.
///
/// # Errors
/// If a step fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let connection = Connection::open(&options.database)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute(
        "CREATE TABLE steps (step INTEGER PRIMARY KEY, status INTEGER NOT NULL) STRICT",
        (),
    )?;
    let mut insert = connection.prepare("INSERT INTO steps VALUES (?1, ?2)")?;
    for step in 0..options.steps {
        let status = Command::new("/bin/true").status()?;
        insert.execute((step, status.code()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_one_durable_row() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("steps.db");
        let options = Options {
            steps: 3,
            database: database.clone(),
        };
        run(&options).unwrap();
        let connection = Connection::open(&database).unwrap();
        let sum = "SELECT count(*), sum(status) FROM steps";
        let found: (u32, u32) = connection
            .query_row(sum, (), |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(found, (3, 0));
    }
}
