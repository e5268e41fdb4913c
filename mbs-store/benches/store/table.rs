//! Figures as rows of a table.

use std::time::{Duration, Instant};

/// How long something took each time it was done.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    times: Vec<Duration>,
    /// How many rows came, all in all.
    pub(crate) rows: usize,
}

impl Figures {
    /// Waits for something and notes how long it took.
    pub(crate) async fn time<T>(&mut self, done: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let result = done.await;
        self.times.push(began.elapsed());
        result
    }

    /// Returns the time that so many of a hundred were within.
    pub(crate) fn within(&self, percent: usize) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// Prints the head of a table.
pub(crate) fn head(what: &str) {
    println!("\n| {what:<60} | median ms |  p99 ms | rows | runs |\n| --- | ---: | ---: | ---: | ---: |");
}

/// Prints a row; `budget`: what the median should stay below, in milliseconds.
pub(crate) fn row(what: &str, figures: &Figures, budget: Option<f64>) {
    let (median, worst, runs) = (figures.within(50), figures.within(99), figures.times.len());
    let mark = if budget.is_some_and(|budget| median >= budget) { " **over**" } else { "" };
    let rows = figures.rows as f64 / runs.max(1) as f64;
    println!("| {what:<60} | {median:9.2} | {worst:7.2} | {rows:4.0} | {runs:4} |{mark}");
}
