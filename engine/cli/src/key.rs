//! `hourglass key`: who may use the API of a data directory. A running `up` takes changes in by itself.

use std::path::PathBuf;

use hourglass_events::OrganizationId;
use serde_json::json;
use uuid::Uuid;

use crate::keys::{self, Keys};
use crate::{Data, paint};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a key and print it, which is the only time it can be seen.
    Create(Create),
    /// List the keys there are, without the keys themselves.
    List(List),
    /// Take a key away. Whoever holds it is turned away within a second.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// What the log will call whoever holds it.
    name: String,
    /// Whose sandboxes it opens: an organization's id, or `new` for an organization of its own.
    #[arg(long, default_value_t = keys::ORGANIZATION.to_string())]
    org: String,
    #[command(flatten)]
    data: Data,
}

#[derive(Debug, clap::Args)]
struct List {
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// What it is called.
    name: String,
    #[command(flatten)]
    data: Data,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        What::Create(create) => {
            let organization = match create.org.as_str() {
                "new" => OrganizationId(Uuid::now_v7()),
                text => organization(text)?,
            };
            let key = keys(&create.data).create(&create.name, organization)?;
            paint::say(key);
            Ok(())
        }
        What::List(list) => {
            for stored in keys(&list.data).list()? {
                if list.json {
                    paint::say(json!({ "name": stored.name, "organization": stored.organization }));
                } else {
                    paint::say(format!("{:<24} {}", stored.name, stored.organization));
                }
            }
            Ok(())
        }
        What::Revoke(revoke) => keys(&revoke.data).revoke(&revoke.name),
    }
}

/// An organization's id as users type it.
pub(crate) fn organization(text: &str) -> anyhow::Result<OrganizationId> {
    text.parse().map_err(|_| {
        anyhow::anyhow!("{text:?} is no organization; ids are UUIDs, such as {}", keys::ORGANIZATION)
    })
}

fn keys(data: &Data) -> Keys {
    let data: &PathBuf = &data.data;
    Keys::of(data)
}
