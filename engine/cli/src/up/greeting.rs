//! What somebody who has started `up` is told: where it is, the key, and what to try.

use std::path::Path;

use hourglass_events::OrganizationId;

use crate::keys::Keys;
use crate::local::DriverKind;
use crate::paint;

pub(super) struct Greeting<'a> {
    pub(super) url: &'a str,
    pub(super) key: &'a str,
    pub(super) organization: OrganizationId,
    pub(super) data: &'a Path,
    pub(super) driver: DriverKind,
}

impl Greeting<'_> {
    pub(super) fn say(&self, keys: &Keys) {
        let Self { url, key, organization, data, driver } = self;
        let runs = match driver {
            DriverKind::Native => "Linux containers on this machine",
            DriverKind::Scripted => "a script that only pretends",
        };
        paint::heading(format!(
            "Hourglass {} is up: {runs}, data in {}",
            env!("CARGO_PKG_VERSION"),
            data.display()
        ));
        paint::say(format!("  API            {url}/api"));
        paint::say(format!("  key            {key}  (in {})", keys.own_path().display()));
        paint::say(format!("  organization   {organization}"));
        paint::say(format!("  for operators  {url}/api/health  {url}/api/ready  {url}/metrics"));
        paint::heading("Try, in another terminal");
        let here = if *data == crate::default_data() {
            String::new()
        } else {
            format!(" --data {}", data.display())
        };
        for verb in ["create --name first", "shell first", "events --follow"] {
            paint::say(format!("  hourglass {verb}{here}"));
        }
        paint::say(format!(
            "  curl -X POST {url}/api/sandbox -H 'Content-Type: application/json' -d '{{}}' \\"
        ));
        paint::say(format!("    -H 'Authorization: Bearer {key}'"));
        paint::heading("With the public SDK, in Python or TypeScript");
        paint::say(format!("  export DAYTONA_API_URL={url}/api DAYTONA_API_KEY={key}"));
        paint::say("\nCtrl-C ends it; sandboxes go on running.");
    }
}
