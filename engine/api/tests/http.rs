//! The API over HTTP, on a machine that only pretends.

mod http {
    mod events;
    mod life;
    mod lists;
    mod refusals;
    mod snapshots;
    pub(crate) mod world;
}
