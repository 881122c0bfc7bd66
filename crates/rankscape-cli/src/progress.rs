//! Progress on standard error: only on a terminal, and only after two seconds.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::CommonOptions;

/// Nothing is shown before.
const SILENCE: Duration = Duration::from_secs(2);

/// Between two pictures of what has no known end.
const TICK: Duration = Duration::from_millis(100);

fn is_shown(common: &CommonOptions) -> bool {
    !common.quiet && !common.no_progress && std::io::stderr().is_terminal()
}

fn style(template: &str, otherwise: fn() -> ProgressStyle) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| otherwise())
}

/// A bar with rate and time left.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    started: Instant,
    shown: bool,
}

impl Progress {
    pub(crate) fn new(common: &CommonOptions, total: u64) -> Self {
        Self { bar: None, total, started: Instant::now(), shown: is_shown(common) }
    }

    /// So many are done.
    pub(crate) fn set(&mut self, done: u64) {
        if !self.shown || self.started.elapsed() < SILENCE {
            return;
        }
        let (total, elapsed) = (self.total, self.started.elapsed());
        let bar = self.bar.get_or_insert_with(|| {
            let style = style("{bar:30} {pos}/{len}, {per_sec}, {eta} left", ProgressStyle::default_bar);
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

/// A sign of life with the time spent, for work of which nobody knows how much is left; gone when it is dropped.
pub(crate) struct Waiting {
    end: Option<Sender<()>>,
    picture: Option<JoinHandle<()>>,
}

impl Waiting {
    /// `None` where nothing is to be shown.
    pub(crate) fn new(common: &CommonOptions) -> Option<Self> {
        if !is_shown(common) {
            return None;
        }
        let (end, ended) = channel::<()>();
        let picture = std::thread::spawn(move || {
            let mut bar: Option<ProgressBar> = None;
            let mut pause = SILENCE;
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let bar = bar.get_or_insert_with(|| {
                    let style = style("{spinner} {elapsed}", ProgressStyle::default_spinner);
                    ProgressBar::new_spinner().with_style(style).with_elapsed(SILENCE)
                });
                bar.tick();
                pause = TICK;
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });
        Some(Self { end: Some(end), picture: Some(picture) })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.end.take();
        if let Some(picture) = self.picture.take() {
            // A picture that panicked changes no answer.
            let _ = picture.join();
        }
    }
}
