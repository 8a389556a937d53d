//! Running code in the language of a sandbox.

use axum::Json;
use axum::extract::{Path, State};
use hourglass_events::Sandbox;
use uuid::Uuid;

use super::process::{How, run_first, short_enough};
use super::{agent, failed};
use crate::body::Body;
use crate::caller::Caller;
use crate::problem::{Area, Problem};
use crate::shared::{Inner, Shared};
use crate::wire::language::{Language, TOOLBOX_LANGUAGE};
use crate::wire::tools::process::{Artifacts, Ran, Run};

pub(crate) async fn run_code(
    State(shared): State<Shared>,
    caller: Caller,
    Path(sandbox): Path<String>,
    Body(asked): Body<Run>,
) -> Result<Json<Ran>, Problem> {
    let Run { code, language, argv, envs, timeout } = asked;
    let known = caller.find(&sandbox)?;
    let language = language_of(&known, language.as_deref())?;
    let arguments = argv.unwrap_or_default();
    arguments.iter().try_for_each(|argument| short_enough("an argument", argument))?;
    let file = place(language);
    write(&shared, &caller, &sandbox, &file, &code).await?;
    let programs: Vec<_> =
        runners(language, &file).into_iter().map(|words| [words, arguments.clone()].concat()).collect();
    let how = How { cwd: None, envs, timeout };
    let ran = run_first(&shared, &caller, &sandbox, &programs, &how).await;
    // A sandbox that has stopped meanwhile keeps it; it is in a place that is emptied at its next start.
    if let Ok(agent) = agent(&shared, &caller, &sandbox).await {
        let _ = agent.delete(&file, false).await;
    }
    Ok(Json(Ran { executed: ran?, artifacts: Artifacts { charts: [] } }))
}

fn language_of(sandbox: &Sandbox, asked: Option<&str>) -> Result<Language, Problem> {
    let label = || sandbox.blueprint.labels.get(TOOLBOX_LANGUAGE);
    match asked.or_else(label).filter(|text| !text.is_empty()) {
        Some(text) => Language::named(text)
            .ok_or_else(|| Problem::BadLanguage { found: text.chars().take(80).collect() }),
        None => Ok(Language::Python),
    }
}

/// A file that nobody else has.
fn place(language: Language) -> String {
    let ending = match language {
        Language::Python => "py",
        Language::TypeScript => "ts",
        Language::JavaScript => "js",
    };
    format!("/tmp/code-{}.{ending}", Uuid::new_v4().simple())
}

/// What may run `file`, best first: a sandbox has what its snapshot has. A Node.js without a runner for TypeScript is
/// asked to leave the types away, which newer ones can.
fn runners(language: Language, file: &str) -> Vec<Vec<String>> {
    let words: &[&[&str]] = match language {
        Language::Python => &[&["python3", "-u"], &["python", "-u"]],
        Language::JavaScript => &[&["node"]],
        Language::TypeScript => &[
            &["run-typescript"],
            &["tsx"],
            &["ts-node"],
            // What the base image has.
            &["run-typescript"],
            &["node", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"],
        ],
    };
    let with_file = |words: &&[&str]| words.iter().copied().chain([file]).map(str::to_owned).collect();
    words.iter().map(with_file).collect()
}

/// Code goes in a file: as an argument it could not be long.
async fn write(
    shared: &Inner,
    caller: &Caller,
    sandbox: &str,
    file: &str,
    code: &str,
) -> Result<(), Problem> {
    let mut upload = agent(shared, caller, sandbox)
        .await?
        .write(file, Some(0o600), false)
        .await
        .map_err(failed(Area::Files))?;
    upload.write(code.as_bytes()).await.map_err(failed(Area::Files))?;
    upload.finish().await.map_err(failed(Area::Files))?;
    Ok(())
}
