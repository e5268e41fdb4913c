//! What this process takes of its machine, from where Linux says so. Where it is not said, nothing is written.

use std::fs;

use super::{Exposition, Kind};

/// The kernel tells times in hundredths of a second, and memory in pages of so many bytes.
const TICKS: f64 = 100.0;
const PAGE: u64 = 4096;

/// Figures of a process: time in ticks, memory in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    ticks: u64,
    started: u64,
    virtual_bytes: u64,
    resident_bytes: u64,
}

/// Writes the figures of this process.
pub(super) fn write(text: &mut Exposition) {
    use Kind::{Counter, Gauge};

    let stat = fs::read_to_string("/proc/self/stat").ok();
    if let Some(taken) = stat.and_then(|stat| read(&stat)) {
        let seconds = |ticks: u64| ticks as f64 / TICKS;
        let help = "Total user and system CPU time spent in seconds.";
        text.one("process_cpu_seconds_total", Counter, help, seconds(taken.ticks));
        text.one(
            "process_resident_memory_bytes",
            Gauge,
            "Resident memory size in bytes.",
            taken.resident_bytes,
        );
        text.one("process_virtual_memory_bytes", Gauge, "Virtual memory size in bytes.", taken.virtual_bytes);
        if let Some(booted) = fs::read_to_string("/proc/stat").ok().and_then(|stat| booted(&stat)) {
            let help = "Start time of the process since unix epoch in seconds.";
            text.one("process_start_time_seconds", Gauge, help, booted as f64 + seconds(taken.started));
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        text.one("process_open_fds", Gauge, "Number of open file descriptors.", open.count());
    }
    if let Some(most) = fs::read_to_string("/proc/self/limits").ok().and_then(|limits| most_files(&limits)) {
        text.one("process_max_fds", Gauge, "Maximum number of open file descriptors.", most);
    }
}

fn read(stat: &str) -> Option<Taken> {
    // The program's name may hold anything; what follows its last parenthesis is numbers.
    let numbers: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |place: usize| numbers.get(place)?.parse::<u64>().ok();
    Some(Taken {
        ticks: number(11)? + number(12)?,
        started: number(19)?,
        virtual_bytes: number(20)?,
        resident_bytes: number(21)? * PAGE,
    })
}

fn booted(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

fn most_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19000 204800 50 99";
        let taken =
            Taken { ticks: 11 + 12, started: 19_000, virtual_bytes: 204_800, resident_bytes: 204_800 };
        assert_eq!(read(stat), Some(taken));
        assert_eq!(read("7 (a) S 1"), None);
    }

    #[test]
    fn limits_are_found() {
        assert_eq!(most_files("Limit  Soft\nMax open files            1024      4096  files\n"), Some(1024));
        assert_eq!(booted("cpu 1\nbtime 1700000000\n"), Some(1_700_000_000));
    }
}
