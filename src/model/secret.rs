//! Secrets are references until the last moment: the record, the plan and the
//! letters name a secret, only the sender ever looks inside.

use serde::{Deserialize, Serialize};

/// Where a secret is to be found. Never the secret itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    /// In this environment variable.
    Env(String),
    /// In this file, read at each use, so that it can be rotated.
    File(String),
    /// Written in the configuration, under this key (`channel.on-call.password of chat-agent`).
    /// `config` hands such values to `daemon` beside the plan.
    Config(String),
}
