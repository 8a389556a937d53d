//! What a host and the agent inside a sandbox say to each other, and nothing else.
//!
//! One connection carries one request: its first frame is a [`Request`], and what follows is said with the request.
//! A frame is four bytes of length, most significant first, then MessagePack. Whoever asks keeps both directions of
//! the connection open until it has its answer: when either ends, the agent takes its caller for gone. The agent is
//! not to be trusted by its host: whoever is root in the sandbox can take its place, so frames are bounded before they
//! are read and what they say is only ever data.
//!
//! | request | the caller says | the agent says |
//! | --- | --- | --- |
//! | [`Request::Ping`] | | [`Pong`] |
//! | [`Request::Run`] | | [`Reply`] of [`Ran`] |
//! | [`Request::Start`] | [`Feed`]… | [`Reply`] of nothing, then [`Output`]… to [`Output::Ended`] |
//! | [`Request::Places`] | | [`Reply`] of [`Places`] |
//! | [`Request::Files`] | one [`files::Request`] | what stands there |
//! | [`Request::Sessions`] | | what stands at [`sessions::Request`] |
//! | [`Request::Ptys`] | | what stands at [`ptys::Request`] |
//! | [`Request::Port`] | bytes | [`Reply`] of nothing, then bytes |
//!
//! Everything is done as the sandbox's user. [`client`] (with the feature of that name) speaks these words for hosts,
//! engines and tests.

use serde::{Deserialize, Serialize};

#[cfg(feature = "client")]
pub mod client;
pub mod failure;
pub mod files;
pub mod frame;
pub mod log;
pub mod pattern;
pub mod ptys;
pub mod run;
pub mod sessions;

pub use failure::{Failure, Reply};
pub use frame::{Bytes, FrameError};
pub use run::{End, Feed, Output, Program, Ran, Run};

/// Places inside every sandbox that belong to the agent.
pub mod place {
    /// Directory of all of them.
    pub const ROOT: &str = "/.hourglass";
    /// The agent's own program, read-only.
    pub const PROGRAM: &str = "/.hourglass/agent";
    /// A small directory the host sees too.
    pub const SHARED: &str = "/.hourglass/run";
    /// In [`SHARED`]: the socket the agent answers on.
    pub const SOCKET: &str = "agent.sock";
    /// In [`SHARED`], from the host: a line `address A` with the sandbox's own, and for each resolver a line
    /// `nameserver A`. Not there if the sandbox has no network.
    pub const NETWORK: &str = "network";
    /// In [`SHARED`]: how the entrypoint ended, written before the agent leaves because of it.
    pub const EXIT: &str = "exit";
    /// In [`SHARED`], beside [`EXIT`]: the kernel killed for want of memory when the entrypoint ended.
    pub const STARVED: &str = "starved";
    /// The kernel's own account of the sandbox's memory, read-only, in the words of either version of control groups.
    pub const MEMORY: &str = "/.hourglass/memory";
    /// In [`SHARED`]: why the agent could not start.
    pub const FAILED: &str = "failed";
    /// In [`SHARED`]: why the entrypoint could not be run.
    pub const UNUSABLE: &str = "unusable";
}

/// Which words these are. A host that finds another number boots the sandbox anew before it uses it.
pub const VERSION: u32 = 2;

/// What a caller asks: the first frame of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Are you there?
    Ping,
    /// Run a command to its end, without input.
    Run(Run),
    /// Run a command and stay with it. When its caller goes, it is killed with all it started.
    Start(Program),
    /// Where is what?
    Places,
    /// Something with files; the [`files::Request`] follows as a frame of its own, for a process with no more than the
    /// user's rights.
    Files,
    /// Something with sessions.
    Sessions(sessions::Request),
    /// Something with terminals.
    Ptys(ptys::Request),
    /// Connect to this TCP port on the sandbox's loopback, and relay.
    Port(u16),
}

/// The answer to a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// [`VERSION`] of the agent.
    pub version: u32,
}

/// Where what is in a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The user commands run as and files belong to.
    pub user: String,
    /// Their home.
    pub home: String,
    /// Where commands run and from where relative paths lead, unless something else is said.
    pub work: String,
}
