//! The shard in worlds of its own: stories in columns, every interleaving of its log, and storms.

mod archives;
mod backups;
mod births;
mod builds;
mod capabilities;
mod deletions;
mod forks;
mod hosts;
mod intents;
mod keys;
mod limits;
mod links;
mod losses;
mod pauses;
mod protocol;
mod quotas;
mod reports;
mod resizes;
mod settings;
mod snapshots;
mod stops;
mod storms;
mod tampering;

mod story;
mod timers;
mod world;
