//! Bars for long work, on a terminal; plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use hourglass_hostd::image::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::paint;

/// A bar that image builds report to.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    /// The phase last printed where there is no terminal.
    printed: Mutex<String>,
}

impl Bar {
    /// A bar from 0 to 1 titled `title`.
    pub(crate) fn new(title: &str) -> Self {
        let bar =
            if std::io::stderr().is_terminal() { ProgressBar::new(1_000) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("  {prefix} {bar:32} {percent:>3}%  {msg}").ok();
        bar.set_style(style.unwrap_or_else(ProgressStyle::default_bar));
        bar.set_prefix(title.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, printed: Mutex::default() }
    }

    /// Take the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Show how much is done, from 0 to 1, and a word on it.
    pub(crate) fn show(&self, done: f64, word: String) {
        self.position(done);
        self.bar.set_message(word);
    }

    fn position(&self, done: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is clamped to 0..=1000"
        )]
        self.bar.set_position((done.clamp(0.0, 1.0) * 1_000.0) as u64);
    }
}

impl Progress for Bar {
    fn phase(&self, what: &str) {
        self.bar.set_message(what.to_owned());
        let mut printed = self.printed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.bar.is_hidden() && *printed != what {
            paint::say(format!("  {what} …"));
            what.clone_into(&mut printed);
        }
    }

    fn fraction(&self, done: f32) {
        self.position(f64::from(done));
    }
}
