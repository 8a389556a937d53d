//! This terminal, made to hand on every key as it is, and put back.

use std::io::{stdin, stdout};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// What a terminal is taken for that does not say.
const USUAL: (u16, u16) = (80, 24);
/// The most columns or rows there can be.
const SIDE_MOST: u16 = 1_000;

/// A terminal that hands everything on until this is dropped. Nothing, if what is typed comes from elsewhere.
#[derive(Debug)]
pub(super) struct Raw(Option<Termios>);

impl Raw {
    pub(super) fn begin() -> Self {
        let before = tcgetattr(stdin()).ok();
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.make_raw();
            // One that cannot be changed is used as it is.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &raw);
        }
        Self(before)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(stdin(), OptionalActions::Drain, before);
        }
    }
}

/// Its columns and rows.
pub(super) fn size() -> (u16, u16) {
    let told = tcgetwinsize(stdout()).map(|size| (size.ws_col, size.ws_row));
    let (cols, rows) = told.ok().filter(|(cols, rows)| *cols > 0 && *rows > 0).unwrap_or(USUAL);
    (cols.min(SIDE_MOST), rows.min(SIDE_MOST))
}
