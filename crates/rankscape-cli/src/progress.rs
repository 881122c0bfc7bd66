//! Progress on standard error: only on a terminal, and only after two seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::CommonOptions;

/// A bar with rate and time left.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    started: Instant,
    shown: bool,
}

impl Progress {
    pub(crate) fn new(common: &CommonOptions, total: u64) -> Self {
        let shown = !common.quiet && !common.no_progress && std::io::stderr().is_terminal();
        Self { bar: None, total, started: Instant::now(), shown }
    }

    /// So many are done.
    pub(crate) fn set(&mut self, done: u64) {
        if !self.shown || self.started.elapsed() < Duration::from_secs(2) {
            return;
        }
        let (total, elapsed) = (self.total, self.started.elapsed());
        let bar = self.bar.get_or_insert_with(|| {
            let template = "{bar:30} {pos}/{len}, {per_sec}, {eta} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style).with_elapsed(elapsed)
        });
        bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
