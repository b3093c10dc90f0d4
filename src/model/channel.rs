//! Whom to tell, as the configuration says it.

use serde::{Deserialize, Serialize};

use super::{Name, Routing, Secret, Severity};

/// A way to tell somebody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Unique in its watch.
    pub name: Name,
    /// How.
    pub medium: Medium,
    /// Which alerts; summaries and notices go to every channel.
    pub severities: Vec<Severity>,
    /// When, and of which of these.
    #[serde(default, skip_serializing_if = "Routing::is_default")]
    pub routing: Routing,
}

impl Channel {
    /// Whether alerts of this severity are told here.
    pub fn takes(&self, severity: Severity) -> bool {
        self.severities.contains(&severity)
    }
}

/// The means, with its secrets as references.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// A POST after the Standard Webhooks specification.
    Webhook {
        /// Where to. Often a secret in itself.
        url: Secret,
        /// Signs the body (`whsec_…`); unsigned without.
        secret: Option<Secret>,
    },
    /// A POST in the form of a chat, or of another receiver.
    Post {
        /// Which.
        form: Form,
        /// Where to. Often a secret in itself.
        url: Secret,
        /// A bearer token, where the receiver wants one.
        token: Option<Secret>,
    },
    /// A mail over SMTP.
    Email {
        /// Recipients.
        to: Vec<String>,
        /// Sender, in the header and on the envelope.
        from: String,
        /// The server.
        smtp: Smtp,
    },
}

impl Medium {
    /// Whether the receiver keeps incidents as such, so that it is told when
    /// somebody has acknowledged one. To all others that is no news.
    pub fn keeps_incidents(&self) -> bool {
        match self {
            Medium::Webhook { .. } | Medium::Post { .. } | Medium::Email { .. } => false,
        }
    }
}

/// A receiver's own form of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An incoming webhook of Slack, or of Mattermost and Rocket.Chat, which take
    /// the same.
    Slack,
    /// A workflow of Microsoft Teams that posts an Adaptive Card.
    Teams,
    /// A webhook of Discord.
    Discord,
    /// The root of an ntfy server.
    Ntfy {
        /// To whom it is published there.
        topic: String,
    },
    /// Whoever takes CloudEvents over HTTP, in structured mode.
    CloudEvents,
}

impl Form {
    /// The word for `type` in a configuration.
    pub fn as_str(&self) -> &'static str {
        match self {
            Form::Slack => "slack",
            Form::Teams => "teams",
            Form::Discord => "discord",
            Form::Ntfy { .. } => "ntfy",
            Form::CloudEvents => "cloudevents",
        }
    }
}

/// A mail server and how to get in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Smtp {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: SmtpTls,
    /// User for AUTH, if any.
    pub user: Option<String>,
    /// Password for AUTH, if any.
    pub password: Option<Secret>,
    /// A PEM file with a certificate authority to trust besides the system's.
    pub ca_file: Option<String>,
}

/// How a connection to a mail server is secured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps://`, port 465).
    Implicit,
    /// STARTTLS, and no mail without it (`smtp://`, port 587).
    Starttls,
    /// In the open; accepted for loopback alone.
    None,
}
