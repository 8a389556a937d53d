//! Putting a command into its user's place: ids, home, directory, environment.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use hourglass_agent::Failure;

use crate::users::{self, Account};

/// The account of `user`.
pub(crate) fn account(user: &str) -> Result<Account, Failure> {
    users::find(user).ok_or_else(|| Failure::Missing { what: format!("the user {user:?} in /etc/passwd") })
}

/// An account's home, or the root if it has none.
pub(crate) fn home(account: &Account) -> &str {
    if Path::new(&account.home).is_dir() { account.home.as_str() } else { "/" }
}

/// The directory a command of `account` begins in, if `cwd` is asked for.
pub(crate) fn directory(account: &Account, cwd: Option<&str>) -> Result<String, Failure> {
    let home = Path::new(home(account));
    let found = cwd.map_or_else(|| home.to_owned(), |cwd| home.join(cwd));
    let found = found.to_string_lossy().into_owned();
    if Path::new(&found).is_dir() {
        return Ok(found);
    }
    Err(Failure::wrong(format!("the working directory {found:?} is not a directory")))
}

/// Dress `command` as `account`. What confines the agent confines it too: it can shed no filter and gain no capability.
pub(crate) fn dress(
    command: &mut Command,
    account: &Account,
    env: &[(String, String)],
    cwd: Option<&str>,
) -> Result<(), Failure> {
    command.uid(account.uid).gid(account.gid).current_dir(directory(account, cwd)?);
    command.env("HOME", home(account)).env("USER", &account.name).env("LOGNAME", &account.name);
    command.env("SHELL", &account.shell).envs(env.iter().map(|(name, value)| (name, value)));
    Ok(())
}
