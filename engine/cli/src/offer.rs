//! The base image that a local engine's sandboxes start from, and the snapshots it is offered as.

use anyhow::Context as _;
use hourglass_engine::{AskError, Engine};
use hourglass_events::{Class, Image, Refusal, Resources, SnapshotContent};
use hourglass_hostd::image::Recipe;
use hourglass_hostd::native::Pool;

use crate::paint;

/// The snapshots of the public contract, with their vCPUs, GiB of memory and GiB of disk. The first is used where none
/// is named.
const SIZES: [(&str, u32, u32, u32); 3] =
    [("daytona-small", 1, 1, 3), ("daytona-medium", 2, 4, 8), ("daytona-large", 4, 8, 10)];

/// What there is to create from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// The smallest image in one size, for a demonstration.
    One,
    /// An image with every runtime of the public contract, in each of its sizes.
    Contract,
}

impl Offer {
    /// What the image is made of, unless one is given.
    pub(crate) fn recipe(self) -> Recipe {
        match self {
            Self::One => Recipe::default(),
            Self::Contract => Recipe::runtimes(),
        }
    }

    /// What is kept ready where `ready` new sandboxes are to find it: each as large as a sandbox that can be asked for,
    /// and fewer of those that are asked for by name.
    pub(crate) fn pool(self, ready: usize) -> Pool {
        match self {
            Self::One => Pool::of(ready),
            Self::Contract => {
                let mut pool = Pool::of(ready);
                for (.., disk_gib) in SIZES {
                    pool.disks.entry(disk_gib).or_insert(ready.div_ceil(2));
                }
                pool
            }
        }
    }

    /// Make the snapshots known that are `image` by another name, and say which is used where none is named.
    pub(crate) async fn register(
        self,
        engine: &Engine,
        image: &Image,
    ) -> anyhow::Result<Option<&'static str>> {
        match self {
            Self::One => Ok(None),
            Self::Contract => {
                let mut first = None;
                for (name, cpu, memory_gib, disk_gib) in SIZES {
                    let resources = Resources { cpu, memory_gib, disk_gib, gpu: 0 };
                    if size(engine, name, resources, image).await? {
                        first = first.or(Some(name));
                    }
                }
                Ok(first)
            }
        }
    }
}

/// Whether the snapshot `name` is `image` in this size. One that was made from another image before stays what it is:
/// what was created from it says so in the log.
async fn size(engine: &Engine, name: &str, resources: Resources, image: &Image) -> anyhow::Result<bool> {
    let class = Class::Container;
    let content = SnapshotContent {
        name: name.to_owned(),
        class,
        resources,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: image.clone(),
    };
    match engine.register_snapshot(content).await {
        Ok(_) => Ok(true),
        Err(AskError::Refused(Refusal::SnapshotTaken(_))) => {
            paint::say(format!(
                "The snapshot {name} keeps the image it was first made from in this data directory."
            ));
            Ok(false)
        }
        Err(error) => Err(error).with_context(|| format!("the snapshot {name} could not be made known")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use hourglass_engine::Store;
    use hourglass_events::ShardNumber;

    use super::*;

    #[tokio::test]
    async fn the_contracts_snapshots_have_its_sizes_and_keep_their_first_image() {
        let engine = Engine::builder(Store::memory()).start().await.unwrap();
        let image = |digest: &str| Image { digest: digest.to_owned() };
        assert_eq!(Offer::One.register(&engine, &image("first")).await.unwrap(), None);
        assert!(engine.view(ShardNumber(0)).snapshots().is_empty());
        for (digest, usual) in
            [("first", Some("daytona-small")), ("second", None), ("first", Some("daytona-small"))]
        {
            assert_eq!(Offer::Contract.register(&engine, &image(digest)).await.unwrap(), usual, "{digest}");
        }
        let known = engine.view(ShardNumber(0)).snapshots();
        assert!(known.iter().all(|snapshot| snapshot.content.image == image("first")));
        let mut sizes: Vec<_> = known
            .iter()
            .map(|known| (known.content.name.as_str(), known.content.resources))
            .map(|(name, size)| format!("{name} {} {} {}", size.cpu, size.memory_gib, size.disk_gib))
            .collect();
        sizes.sort();
        assert_eq!(sizes, ["daytona-large 4 8 10", "daytona-medium 2 4 8", "daytona-small 1 1 3"]);
    }
}
