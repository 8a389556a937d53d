//! The engine with a real host worker on a scripted machine: stories told through its public interface.

#[path = "shell/checkpoints.rs"]
mod checkpoints;
#[path = "shell/life.rs"]
mod life;
#[path = "shell/storage.rs"]
mod storage;
#[path = "shell/subscribers.rs"]
mod subscribers;
#[path = "shell/tunnels.rs"]
mod tunnels;
#[path = "shell/vault.rs"]
mod vault;
#[path = "shell/world.rs"]
mod world;
