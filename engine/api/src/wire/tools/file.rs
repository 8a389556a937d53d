//! Files.

use hourglass_agent::files as agent;
use hourglass_events::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::moment;

/// A file or directory.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "File")]
pub(crate) struct Info {
    name: String,
    path: String,
    is_dir: bool,
    size: u64,
    /// As `ls` shows it.
    mode: String,
    /// In octal.
    permissions: String,
    owner: String,
    group: String,
    mod_time: String,
    modified_at: String,
}

impl From<agent::Info> for Info {
    fn from(info: agent::Info) -> Self {
        let modified = moment(Timestamp(u64::try_from(info.modified_micros).unwrap_or(0)));
        Self {
            name: info.name,
            path: info.path,
            is_dir: info.kind == agent::Kind::Folder,
            size: info.size,
            mode: shown(info.kind, info.mode),
            permissions: format!("{:04o}", info.mode),
            owner: info.owner,
            group: info.group,
            mod_time: modified.clone(),
            modified_at: modified,
        }
    }
}

/// Nine letters for who may do what, and one in front for the kind.
fn shown(kind: agent::Kind, mode: u32) -> String {
    let kind = match kind {
        agent::Kind::File => '-',
        agent::Kind::Folder => 'd',
        agent::Kind::Link => 'l',
        agent::Kind::Other => '?',
    };
    let bits = (0..9).rev().zip("rwxrwxrwx".chars());
    let bits = bits.map(|(bit, letter)| if mode >> bit & 1 == 1 { letter } else { '-' });
    std::iter::once(kind).chain(bits).collect()
}

/// A line that holds a text.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FileMatch")]
pub(crate) struct Match {
    file: String,
    line: u64,
    content: String,
}

impl From<agent::Match> for Match {
    fn from(agent::Match { file, line, content }: agent::Match) -> Self {
        Self { file, line, content }
    }
}

/// Files that were found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    pub(crate) files: Vec<String>,
}

/// Text to replace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Replace {
    #[schemars(length(max = 1000))]
    pub(crate) files: Vec<String>,
    #[schemars(length(min = 1))]
    pub(crate) pattern: String,
    pub(crate) new_value: String,
}

/// What became of one file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Replaced {
    file: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<agent::Replaced> for Replaced {
    fn from(agent::Replaced { file, failure }: agent::Replaced) -> Self {
        Self { file, success: failure.is_none(), error: failure.map(|failure| failure.to_string()) }
    }
}

/// Files to download.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Download {
    pub(crate) paths: Vec<String>,
}

/// A file as a part of a form.
#[derive(Debug, JsonSchema)]
pub(crate) struct Upload {
    #[schemars(extend("format" = "binary"))]
    #[allow(dead_code, reason = "it describes a form, which is read as it comes")]
    file: String,
}

/// Files as parts of a form: for each a part `files[n].path`, and behind it `files[n].file`.
#[derive(Debug, JsonSchema)]
pub(crate) struct Uploads {}

/// A file that was uploaded.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Uploaded {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) r#type: &'static str,
}

/// Files that were uploaded.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UploadedAll {
    pub(crate) files: Vec<Written>,
}

/// One of them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Written {
    pub(crate) path: String,
    pub(crate) bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_shown_as_ls_does() {
        assert_eq!(shown(agent::Kind::File, 0o644), "-rw-r--r--");
        assert_eq!(shown(agent::Kind::Folder, 0o1755), "drwxr-xr-x");
    }
}
