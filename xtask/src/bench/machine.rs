//! What the figures were measured on: enough to compare, nothing that names a host or a place.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::measure::median;
use crate::Result;

/// How many durable writes the disk's latency is taken from.
const SYNCS: usize = 200;

/// One line: commit, processor, cores, memory, kernel, file system, latency of a durable write.
///
/// # Errors
/// If the folder cannot be written.
pub(super) fn describe(root: &Path, folder: &Path) -> Result<String> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "Commit {}; {}, {cores} cores, {} GiB; Linux {}; {}, fsync p50 {:.2} ms.",
        commit(root),
        processor(&read("/proc/cpuinfo")).unwrap_or("unknown processor"),
        memory_gib(&read("/proc/meminfo")).unwrap_or_default(),
        read("/proc/sys/kernel/osrelease").trim(),
        file_system(&read("/proc/self/mounts"), &folder.canonicalize()?),
        fsync_p50_ms(folder)?,
    ))
}

/// The commit measured; `-dirty` if the folder differs from it.
fn commit(root: &Path) -> String {
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude=*"])
        .current_dir(root)
        .output();
    match described {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

fn processor(cpuinfo: &str) -> Option<&str> {
    let is_model = |line: &&str| line.starts_with("model name");
    let (_, model) = cpuinfo.lines().find(is_model)?.split_once(':')?;
    Some(model.trim())
}

fn memory_gib(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix(" kB")?.parse().ok()?;
    Some((kib + (1 << 19)) >> 20)
}

/// The type of the file system that holds a path: that of the longest mount point above it.
fn file_system(mounts: &str, path: &Path) -> String {
    let of_line = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        path.starts_with(&point).then_some((point, kind))
    };
    let longest = mounts
        .lines()
        .filter_map(of_line)
        .max_by_key(|(p, _)| p.len());
    longest.map_or_else(|| "unknown file system".to_owned(), |(_, kind)| kind)
}

/// The median time of appending a page and making it durable, in milliseconds.
///
/// # Errors
/// If the folder cannot be written.
pub(super) fn fsync_p50_ms(folder: &Path) -> Result<f64> {
    let path = folder.join("fsync");
    let mut file = OpenOptions::new()
        .create_new(true)
        .append(true)
        .open(&path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(&path)?;
    Ok(median(&times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A Processor @ 2 GHz\n";
        assert_eq!(processor(cpuinfo), Some("A Processor @ 2 GHz"));
        assert_eq!(memory_gib("MemTotal:       24576000 kB\n"), Some(23));
        let mounts = "a / ext4 rw 0 0\nb /data xfs rw 0 0\nc /data/fast tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/data/x")), "xfs");
        assert_eq!(file_system(mounts, Path::new("/database")), "ext4");
        assert_eq!(file_system(mounts, Path::new("/data/fast/x")), "tmpfs");
    }

    #[test]
    fn a_durable_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(fsync_p50_ms(folder.path()).unwrap() > 0.0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
