//! The API over HTTP, on a machine that only pretends.

mod http {
    mod document;
    mod events;
    mod feed;
    mod kin;
    mod life;
    mod limits;
    pub(crate) mod listener;
    mod lists;
    mod network;
    mod refusals;
    mod snapshots;
    mod tools;
    mod untouched;
    mod work;
    pub(crate) mod world;
}
