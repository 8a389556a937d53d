//! Query parameters, read strictly: each is taken by name, and one that is left over is refused.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use crate::problem::Problem;
use crate::shared::Shared;

/// The parameters of a query, in order, repeats included.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl FromRequestParts<Shared> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let Query(pairs): Query<Vec<(String, String)>> =
            Query::from_request_parts(parts, shared).await.map_err(|_| Problem::BadQuery)?;
        // No name, path or pattern has one, and what gets it makes no sense of it.
        match pairs.iter().any(|(_, value)| value.contains('\0')) {
            true => Err(Problem::BadQuery),
            false => Ok(Self(pairs)),
        }
    }
}

impl Parameters {
    /// Every value of `name`.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |(key, _)| key == name).map(|(_, value)| value).collect()
    }

    /// The value of `name`; the last one when it is repeated.
    pub(crate) fn one(&mut self, name: &str) -> Option<String> {
        self.all(name).pop()
    }

    /// The value of `name`, if it is one of those that `read` knows.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        allowed: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.one(name) else { return Ok(None) };
        match read(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(Problem::BadParameter { name, found: text, allowed }),
        }
    }

    /// The value of `name`, which must be there.
    pub(crate) fn needed(&mut self, name: &'static str) -> Result<String, Problem> {
        self.one(name).filter(|value| !value.is_empty()).ok_or(Problem::MissingParameter { name })
    }

    /// Nothing may be left over.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(Problem::UnknownParameter { name }),
            None => Ok(()),
        }
    }
}
