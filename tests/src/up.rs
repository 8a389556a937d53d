//! `hourglass up` as users start it, and somebody who asks it over HTTP.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::hourglass::hourglass;

/// The last line of what is printed once it serves.
const UP: &str = "Ctrl-C ends it";
/// How long anything that is waited for may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `up`. Dropped, it is killed.
#[derive(Debug)]
pub struct Up {
    child: Child,
    data: PathBuf,
    /// Where it is, without the prefix of the API.
    pub url: String,
    /// A key to it.
    pub key: String,
}

/// A status and a body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, or nothing if it is not JSON.
    pub body: Value,
}

impl Up {
    /// Start it in `data`, at any free port, and wait until it serves.
    #[must_use]
    pub fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::start_at("localhost:0", data, arguments)
    }

    /// The same at `place`.
    #[must_use]
    pub fn start_at(place: &str, data: &Path, arguments: &[&str]) -> Self {
        let usual: &[&str] = &["up", "--yes", "--listen", place];
        // What is kept ready would be found by who looks for leftovers.
        let pool: &[&str] = if arguments.contains(&"--pool") { &[] } else { &["--pool", "0"] };
        let arguments = [usual, pool, arguments].concat();
        let mut child = hourglass(&arguments, data).spawn().unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !said.contains(UP) {
            let Some(Ok(line)) = lines.next() else {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                panic!("it did not come up: {said}\n{why}");
            };
            said += &line;
            said.push('\n');
        }
        // What it prints later must find a reader, or it would end for want of one.
        std::thread::spawn(move || lines.for_each(drop));
        let word = |title: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(title)).unwrap();
            line.split_whitespace().next().unwrap().to_owned()
        };
        let url = word("API").strip_suffix("/api").unwrap().to_owned();
        Self { child, data: data.to_owned(), url, key: word("key") }
    }

    /// The same data directory served anew.
    #[must_use]
    pub fn again(self, arguments: &[&str]) -> Self {
        let data = self.data.clone();
        drop(self);
        Self::start(&data, arguments)
    }

    /// A place that is free, at which clients that find nobody do not find themselves: a port from which connections
    /// are made could be both ends of one.
    #[must_use]
    pub fn free_place() -> String {
        // Nobody is given what somebody else was given and has not yet begun to use.
        static LAST: Mutex<Option<u16>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap();
        let first = || 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
        let next = last.map_or_else(first, |last| last + 1);
        let free = |port: &u16| std::net::TcpListener::bind(("localhost", *port)).is_ok();
        let port = (next..=u16::MAX).find(free).unwrap();
        *last = Some(port);
        format!("localhost:{port}")
    }

    /// The URL of the API.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}/api", self.url)
    }

    /// What tells the public SDKs where it is.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [("DAYTONA_API_URL", self.api()), ("DAYTONA_API_KEY", self.key.clone())]
    }

    /// Ask for `path` of the API with a body.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_as(&self.key, method, path, body)
    }

    /// The same with another key.
    #[must_use]
    pub fn ask_as(&self, key: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api()))
            .header("Authorization", format!("Bearer {key}"))
            .header("Content-Type", "application/json");
        let bytes = body.map(Value::to_string).unwrap_or_default();
        let mut response = agent.run(request.body(bytes).unwrap()).unwrap();
        let body = response.body_mut().read_json().unwrap_or_default();
        Answer { status: response.status().as_u16(), body }
    }

    /// Wait until `look` finds what it looks for.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{what} did not come about");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// How many descriptors it has open, by what they are of: files by their directory, sockets and the like by their kind.
    #[must_use]
    pub fn descriptors(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().flatten() {
            // One that was closed meanwhile leads nowhere.
            let Ok(target) = fs::read_link(entry.path()) else { continue };
            let kind = match target.parent().filter(|_| target.is_absolute()) {
                Some(directory) => directory.display().to_string(),
                None => target.display().to_string().split(":[").next().unwrap().to_owned(),
            };
            *counts.entry(kind).or_default() += 1;
        }
        counts
    }

    /// End it as whoever types Ctrl-C or an init system would.
    pub fn end(mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }

    /// Kill it where it stands.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
