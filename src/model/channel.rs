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
    /// Which alerts. What is no alert goes by other rules: `Item::concerns`.
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
        /// The body's words, if not the usual ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<Template>,
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
    /// Alerts for a site's Alertmanager, which tells people in its own way.
    Alertmanager {
        /// All its replicas.
        urls: Vec<Secret>,
        /// A bearer token, where it wants one.
        token: Option<Secret>,
    },
    /// A program of the site's own.
    Command {
        /// It, by its whole path, and its arguments.
        run: Vec<String>,
        /// Its environment, besides `PATH`.
        env: Vec<(String, Secret)>,
    },
    /// Messages of a bot in Slack, which can be brought up to date.
    SlackBot {
        /// The bot's token.
        token: Secret,
        /// Where it speaks: a name or an id.
        channel: String,
        /// Where to, if not to Slack's own address: the part before `/chat.postMessage`.
        url: Option<Secret>,
    },
    /// Events for PagerDuty, which keeps the state of incidents.
    Pagerduty {
        /// The routing key of an integration.
        key: Secret,
        /// Where to, if not to PagerDuty's own address: the part before `/v2/enqueue`.
        url: Option<Secret>,
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
    /// Whether it is told that a release is out: where incidents are looked into,
    /// the first question is what was changed.
    pub fn is_told_of_releases(&self) -> bool {
        match self {
            Medium::Pagerduty { .. } => true,
            Medium::Webhook { .. }
            | Medium::Post { .. }
            | Medium::Alertmanager { .. }
            | Medium::Command { .. }
            | Medium::SlackBot { .. }
            | Medium::Email { .. } => false,
        }
    }

    /// Whether a letter that was written for the one can go by the other.
    pub fn travels_as(&self, other: &Medium) -> bool {
        use std::mem::discriminant;
        match (self, other) {
            (Medium::Post { form: one, .. }, Medium::Post { form: other, .. }) => {
                discriminant(one) == discriminant(other)
            }
            _ => discriminant(self) == discriminant(other),
        }
    }

    /// Whether it takes alerts, and nothing that is worth reading and burns nowhere.
    pub fn is_for_alerts_alone(&self) -> bool {
        matches!(self, Medium::Alertmanager { .. })
    }

    /// Whether what arrives is read by people as it is: mails and chats.
    pub fn is_read_by_people(&self) -> bool {
        match self {
            Medium::Email { .. } | Medium::SlackBot { .. } => true,
            Medium::Post { form, .. } => match form {
                Form::Slack | Form::Teams | Form::Discord | Form::Ntfy { .. } => true,
                Form::CloudEvents | Form::Alertmanager => false,
            },
            Medium::Webhook { .. }
            | Medium::Alertmanager { .. }
            | Medium::Command { .. }
            | Medium::Pagerduty { .. } => false,
        }
    }

    /// Whether the receiver keeps incidents as such, so that it is told when
    /// somebody has acknowledged one. To all others that is no news.
    pub fn keeps_incidents(&self) -> bool {
        match self {
            Medium::Pagerduty { .. } | Medium::SlackBot { .. } => true,
            Medium::Webhook { .. }
            | Medium::Post { .. }
            | Medium::Alertmanager { .. }
            | Medium::Command { .. }
            | Medium::Email { .. } => false,
        }
    }
}

/// A body in the receiver's own words, in the language of MiniJinja.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Template {
    /// The template.
    pub text: String,
    /// What it makes. JSON is escaped, and has to be some.
    pub content_type: String,
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
    /// Whoever takes what Alertmanager tells a webhook, in version 4.
    #[serde(rename = "alertmanager-webhook")]
    Alertmanager,
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
            Form::Alertmanager => "alertmanager-webhook",
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
