//! The images of a scripted machine: what is published, built, or taken of a sandbox.

use hourglass_events::{Capture, Fault, Heat, Image, SandboxId};

use super::{Disk, Machine, Sandbox};

impl Machine {
    /// Whoever publishes images publishes every one but those that are made here.
    pub(in crate::scripted) fn fetch(&mut self, image: &Image) -> Result<(), Fault> {
        let ours = ["snapshot-", "build-"].iter().any(|made| image.digest.starts_with(made));
        if ours && !self.has_image(image) {
            let why = "nobody has made it".to_owned();
            return Err(Fault::ImageUnavailable { image: image.digest.clone(), why });
        }
        self.have(image);
        Ok(())
    }

    pub(in crate::scripted) fn have(&mut self, image: &Image) {
        self.images.entry(image.clone()).or_default();
    }

    pub(in crate::scripted) fn has_image(&self, image: &Image) -> bool {
        self.images.contains_key(image)
    }

    pub(in crate::scripted) fn scrap(&mut self, image: &Image) {
        self.images.remove(image);
    }

    pub(in crate::scripted) fn capture(
        &mut self,
        sandbox: SandboxId,
        capture: &Capture,
    ) -> Result<(), Fault> {
        if self.has_image(&capture.image) {
            return Ok(());
        }
        let missing = |what: &str| Err(Fault::Missing { what: what.to_owned() });
        let Some(found @ Sandbox { disk: Disk::Made { files, .. }, .. }) = self.sandboxes.get(&sandbox)
        else {
            return missing("disk");
        };
        if capture.heat == Heat::Hot && found.running().is_none() {
            return missing("running life");
        }
        self.images.insert(capture.image.clone(), files.clone());
        Ok(())
    }
}
