//! The pretended files of a disk. Everybody may do everything; who a file belongs to is only remembered.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use hourglass_agent::Failure;
use hourglass_agent::files::{Info, Kind};

/// Files and folders, by whole path. The root is always there.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    nodes: BTreeMap<String, Node>,
}

/// A file or folder.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its bytes; nothing for a folder.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) mode: u32,
    pub(super) owner: String,
    pub(super) group: String,
    modified_micros: i64,
}

impl Node {
    fn new(bytes: Option<Vec<u8>>, mode: u32, owner: &str) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified_micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Self { bytes, mode, owner: owner.to_owned(), group: owner.to_owned(), modified_micros }
    }
}

/// `path` from the root, seen from `cwd`.
pub(super) fn whole(cwd: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let begun = if path.starts_with('/') { "" } else { cwd };
    for part in begun.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

impl Files {
    /// Files with a home for `user`.
    pub(super) fn with_home(&mut self, user: &str, home: &str) {
        for path in ["/tmp", "/home", home] {
            self.nodes.entry(path.to_owned()).or_insert_with(|| Node::new(None, 0o755, user));
        }
    }

    pub(super) fn read(&self, path: &str) -> Option<&[u8]> {
        self.nodes.get(path)?.bytes.as_deref()
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        path == "/" || self.nodes.get(path).is_some_and(|node| node.bytes.is_none())
    }

    pub(super) fn node(&mut self, path: &str) -> Result<&mut Node, Failure> {
        self.nodes.get_mut(path).ok_or_else(|| Failure::Missing { what: path.to_owned() })
    }

    /// Make or replace a file.
    pub(super) fn write(&mut self, path: &str, bytes: Vec<u8>, owner: &str) -> Result<(), Failure> {
        if self.is_folder(path) {
            return Err(Failure::wrong(format!("{path} is a directory")));
        }
        if !self.is_folder(parent(path)) {
            return Err(Failure::Missing { what: path.to_owned() });
        }
        let mode = self.nodes.get(path).map_or(0o644, |node| node.mode);
        self.nodes.insert(path.to_owned(), Node::new(Some(bytes), mode, owner));
        Ok(())
    }

    /// Make a folder, and those on the way to it.
    pub(super) fn make_folder(&mut self, path: &str, owner: &str) -> Result<(), Failure> {
        if self.is_folder(path) {
            return Ok(());
        }
        if self.nodes.contains_key(path) {
            return Err(Failure::Exists { what: path.to_owned() });
        }
        self.make_folder(parent(path), owner)?;
        self.nodes.insert(path.to_owned(), Node::new(None, 0o755, owner));
        Ok(())
    }

    pub(super) fn delete(&mut self, path: &str, recursive: bool) -> Result<(), Failure> {
        self.node(path)?;
        let inside = self.below(path);
        if !inside.is_empty() && !recursive {
            return Err(Failure::of(&std::io::ErrorKind::DirectoryNotEmpty.into(), "remove", path));
        }
        for path in inside {
            self.nodes.remove(&path);
        }
        self.nodes.remove(path);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        self.node(from)?;
        if !self.is_folder(parent(to)) {
            return Err(Failure::Missing { what: to.to_owned() });
        }
        if self.is_folder(to) {
            return Err(Failure::wrong(format!("{to} is a directory")));
        }
        for old in self.below(from).into_iter().chain([from.to_owned()]) {
            if let Some(node) = self.nodes.remove(&old) {
                self.nodes.insert(format!("{to}{}", &old[from.len()..]), node);
            }
        }
        Ok(())
    }

    /// Everything in `folder`, at whatever depth, ordered by path.
    pub(super) fn below(&self, folder: &str) -> Vec<String> {
        let prefix = if folder == "/" { "/".to_owned() } else { format!("{folder}/") };
        self.nodes.keys().filter(|path| path.starts_with(&prefix)).cloned().collect()
    }

    pub(super) fn info(&self, path: &str) -> Result<Info, Failure> {
        let root = Node::new(None, 0o755, "root");
        let node = match path {
            "/" => &root,
            path => self.nodes.get(path).ok_or_else(|| Failure::Missing { what: path.to_owned() })?,
        };
        Ok(Info {
            name: path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("/").to_owned(),
            path: path.to_owned(),
            kind: if node.bytes.is_some() { Kind::File } else { Kind::Folder },
            size: node.bytes.as_ref().map_or(4096, Vec::len) as u64,
            mode: node.mode,
            modified_micros: node.modified_micros,
            owner: node.owner.clone(),
            group: node.group.clone(),
        })
    }

    /// How many bytes all files have.
    pub(super) fn size(&self) -> usize {
        self.nodes.values().filter_map(|node| node.bytes.as_ref()).map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_say() {
        assert_eq!(whole("/home/dev", "a/../b"), "/home/dev/b");
        assert_eq!(whole("/home/dev", "/x//y/."), "/x/y");
        assert_eq!(whole("/", "../.."), "/");
    }
}
