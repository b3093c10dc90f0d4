//! Whom to tell, as the configuration says it.

use serde::{Deserialize, Serialize};

use super::{Name, Secret, Severity};

/// A way to tell somebody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Unique in its watch.
    pub name: Name,
    /// How.
    pub medium: Medium,
    /// Which alerts; summaries and notices go to every channel.
    pub severities: Vec<Severity>,
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
