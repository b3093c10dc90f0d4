//! A letter by mail: one connection, one message, and each recipient with an
//! answer of its own, so that one bad address stops nobody else's mail.
//!
//! The rule: *accepted* when every recipient took it; *partly* when at least one
//! took it and the others never will; *refused* when nobody took it; *unknown* when it left and
//! no answer came, or when some took it and others asked to be tried later
//! (the same letter then goes to those others alone, under the same Message-ID).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, MultiPartKind, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter, RcptParameter};
use lettre::{Address, Message};

use super::files::read_aside;
use super::secrets::Secrets;
use super::webhook::refused;
use crate::model::{Smtp, SmtpTls, Span};
use crate::notify::{Body, Image, Letter};
use crate::record::{Missed, Outcome};

/// After so many tries (about ten minutes: longer than greylisting asks for) a
/// recipient that keeps asking for later counts as one that never takes it,
/// so that it does not hold up the others' next letter.
const DEFERRALS_MAX: u32 = 8;

/// Letters of which something is remembered; each channel has one at a time.
const LETTERS_MAX: usize = 256;

/// What is known of letters that some recipients took and others deferred.
/// Volatile: after a crash a recipient may get a copy under the same Message-ID.
#[derive(Default)]
pub struct Deferred {
    letters: Mutex<BTreeMap<String, Partly>>,
}

#[derive(Clone, Default)]
struct Partly {
    tries: u32,
    taken: Vec<String>,
    refused: Vec<Missed>,
}

/// A mail to be carried: the channel's side of it.
pub struct Post<'a> {
    /// Recipients.
    pub to: &'a [String],
    /// Sender.
    pub from: &'a str,
    /// The server.
    pub smtp: &'a Smtp,
    /// For the whole try.
    pub timeout: Span,
    /// The facts behind it could not be stored: the mail says so.
    pub not_stored: bool,
}

/// How far a try has come, which decides what its end means.
enum Stop {
    /// Nothing was taken.
    Before { detail: String, permanent: bool },
    /// The message left; whether it was taken is not known.
    After { detail: String },
}

/// Carries a mail, and says what became of it.
pub async fn deliver(
    secrets: &Secrets,
    deferred: &Deferred,
    letter: &Letter,
    post: Post<'_>,
) -> Outcome {
    let mut known = deferred.recall(&letter.key);
    known.tries += 1;
    let mut has_left = false;
    let session = session(secrets, letter, &post, &mut known, &mut has_left);
    let ended = tokio::time::timeout(post.timeout.to_std(), session).await;
    let late = format!("timeout after {}", post.timeout);
    let stop = match ended {
        Ok(Ok(later)) => {
            let outcome = settle(&known, later);
            let keep = matches!(outcome, Outcome::Unknown { .. });
            deferred.remember(&letter.key, keep.then_some(known));
            return outcome;
        }
        Ok(Err(stop)) => stop,
        Err(_) if has_left => Stop::After { detail: format!("{late}, the message had left") },
        Err(_) => Stop::Before { detail: late, permanent: false },
    };
    match stop {
        // Others have taken it in an earlier try: it is not to be dissolved.
        Stop::Before { detail, .. } if !known.taken.is_empty() => Outcome::Unknown { detail },
        Stop::Before { detail, permanent } => refused(detail, permanent),
        Stop::After { detail } => Outcome::Unknown { detail },
    }
}

/// One connection. Gives the recipients that want to be tried later.
async fn session(
    secrets: &Secrets,
    letter: &Letter,
    post: &Post<'_>,
    known: &mut Partly,
    has_left: &mut bool,
) -> Result<Vec<String>, Stop> {
    let from = mailbox(post.from).map_err(|error| ours(format!("from: {error}")))?;
    let mut open = connect(secrets, post.smtp, post.timeout).await?;
    let offers = offers(&mut open).await;
    if !offers.utf8 && !is_plain(&from) {
        let detail = format!("from: {}", without_utf8(post.smtp));
        return Err(Stop::Before { detail, permanent: true });
    }
    let message = message(letter, post, from.clone(), &offers).map_err(ours)?;
    let mail = Mail::new(Some(from.email), envelope(letter, &offers, &message));
    open.command(mail).await.map_err(|e| before("MAIL FROM", &e))?;
    let (mut ready, mut later) = (Vec::new(), Vec::new());
    for to in post.to {
        if known.taken.contains(to) || known.refused.iter().any(|one| one.recipient == *to) {
            continue;
        }
        let mut refuse = |reason| known.refused.push(Missed { recipient: to.clone(), reason });
        let address: Address = match mailbox(to) {
            Ok(to) if offers.utf8 || is_plain(&to) => to.email,
            Ok(_) => {
                refuse(without_utf8(post.smtp));
                continue;
            }
            Err(error) => {
                refuse(error);
                continue;
            }
        };
        match open.command(Rcpt::new(address, wishes(&offers))).await {
            Ok(_) => ready.push(to.clone()),
            Err(error) if error.is_permanent() => refuse(words_of(&error)),
            Err(error) if error.is_transient() && known.tries >= DEFERRALS_MAX => {
                refuse(format!("{}, given up", words_of(&error)));
            }
            Err(error) if error.is_transient() => later.push(format!("{to}: {}", words_of(&error))),
            Err(error) => return Err(before("RCPT TO", &error)),
        }
    }
    if !ready.is_empty() {
        open.command(Data).await.map_err(|e| before("DATA", &e))?;
        *has_left = true;
        open.message(&message).await.map_err(|error| sent(&error))?;
        known.taken.extend(ready);
    }
    // The mail is taken: how the goodbye goes is of no interest.
    let goodbye = open.quit();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), goodbye).await;
    Ok(later)
}

fn settle(known: &Partly, later: Vec<String>) -> Outcome {
    let mut words = Vec::new();
    if !known.taken.is_empty() {
        words.push(format!("taken for {}", known.taken.join(", ")));
    }
    if !known.refused.is_empty() {
        let each = known.refused.iter().map(|one| format!("{}: {}", one.recipient, one.reason));
        words.push(format!("refused for {}", each.collect::<Vec<_>>().join("; ")));
    }
    if !later.is_empty() {
        words.push(format!("put off for {}", later.join("; ")));
    }
    let detail = words.join(", ");
    match (known.taken.is_empty(), later.is_empty()) {
        (false, true) if known.refused.is_empty() => Outcome::Accepted { detail },
        (false, true) => Outcome::Partly { detail, missed: known.refused.clone() },
        (false, false) => Outcome::Unknown { detail },
        (true, permanent) => refused(detail, permanent),
    }
}

async fn connect(
    secrets: &Secrets,
    smtp: &Smtp,
    timeout: Span,
) -> Result<AsyncSmtpConnection, Stop> {
    let hello = ClientId::default();
    let server = (smtp.host.as_str(), smtp.port);
    let tls = match smtp.tls {
        SmtpTls::None if !is_loopback(&smtp.host) => {
            let detail = format!("mail in the open to {} is not sent; use smtps://", smtp.host);
            return Err(Stop::Before { detail, permanent: true });
        }
        SmtpTls::None => None,
        SmtpTls::Implicit | SmtpTls::Starttls => Some(tls_of(smtp).await.map_err(ours)?),
    };
    let first = tls.clone().filter(|_| smtp.tls == SmtpTls::Implicit);
    let opening =
        AsyncSmtpConnection::connect_tokio1(server, Some(timeout.to_std()), &hello, first, None);
    let mut open = opening.await.map_err(|error| before("connect", &error))?;
    if let Some(tls) = tls.filter(|_| smtp.tls == SmtpTls::Starttls) {
        if !open.can_starttls() {
            let detail = format!("{} does not offer STARTTLS, and no mail goes without", smtp.host);
            return Err(Stop::Before { detail, permanent: true });
        }
        open.starttls(tls, &hello).await.map_err(|error| before("STARTTLS", &error))?;
    }
    if let Some(user) = &smtp.user {
        let password = match &smtp.password {
            Some(password) => secrets.resolve(password).await.map_err(ours)?,
            None => String::new(),
        };
        let login = Credentials::new(user.clone(), password);
        open.auth(DEFAULT_MECHANISMS, &login).await.map_err(|error| before("AUTH", &error))?;
    }
    Ok(open)
}

async fn tls_of(smtp: &Smtp) -> Result<TlsParameters, String> {
    let mut tls = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.ca_file {
        let (what, path) = (format!("ca_file {path}"), path.clone());
        let pem = read_aside(&what, move || std::fs::read(path)).await?;
        let pem = pem.map_err(|error| format!("{what}: {error}"))?;
        let authorities = Certificate::from_pem(&pem);
        let bad = || format!("{what}: holds no certificate in PEM form");
        tls = tls.add_root_certificate(authorities.map_err(|_| bad())?);
    }
    tls.build().map_err(|error| format!("TLS: {}", words_of(&error)))
}

/// What of the extensions that we use a server has.
#[derive(Clone, Copy, Debug)]
struct Offers {
    /// Addresses beyond ASCII (RFC 6531).
    utf8: bool,
    /// Notices of what became of a mail later, under a name of ours (RFC 3461).
    notices: bool,
}

/// Asked once more, since the library keeps of the answer what it knows itself.
async fn offers(open: &mut AsyncSmtpConnection) -> Offers {
    let utf8 = open.server_info().supports_feature(Extension::SmtpUtfEight);
    let answer = open.command(Ehlo::new(ClientId::default())).await;
    let notices = answer.is_ok_and(|answer| answer.message().any(|line| line == "DSN"));
    Offers { utf8, notices }
}

/// What a server may tell the sender later bears the letter's key, and not the
/// whole letter.
fn envelope(letter: &Letter, offers: &Offers, message: &[u8]) -> Vec<MailParameter> {
    let other = |keyword: &str, value: &str| MailParameter::Other {
        keyword: keyword.to_owned(),
        value: Some(value.to_owned()),
    };
    let mut wishes = Vec::new();
    if offers.utf8 && !is_plain_head(message) {
        wishes.push(MailParameter::SmtpUtfEight);
    }
    if offers.notices {
        wishes.extend([other("RET", "HDRS"), other("ENVID", &letter.key)]);
    }
    wishes
}

fn wishes(offers: &Offers) -> Vec<RcptParameter> {
    let (keyword, value) = ("NOTIFY".to_owned(), Some("FAILURE,DELAY".to_owned()));
    let wish = offers.notices.then_some(RcptParameter::Other { keyword, value });
    wish.into_iter().collect()
}

/// An address, perhaps with a name before it: `On Call <oncall@example.com>`.
fn mailbox(text: &str) -> Result<Mailbox, String> {
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim()), address),
        None => (None, text),
    };
    let address: Address = address.parse().map_err(|error| format!("{error}"))?;
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Mailbox::new(name, address))
}

/// Whether any server can take it.
fn is_plain(mailbox: &Mailbox) -> bool {
    mailbox.email.to_string().is_ascii()
}

/// The head of a message is beyond ASCII only where an address is.
fn is_plain_head(message: &[u8]) -> bool {
    let end = message.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(message.len());
    message[..end].is_ascii()
}

fn without_utf8(smtp: &Smtp) -> String {
    format!("{} does not offer SMTPUTF8, which this address needs", smtp.host)
}

fn message(
    letter: &Letter,
    post: &Post<'_>,
    from: Mailbox,
    offers: &Offers,
) -> Result<Vec<u8>, String> {
    let Body::Mail { subject, text, html, headers, images } = &letter.body else {
        return Err("a webhook's letter was given to a mail channel".to_owned());
    };
    let id = format!("<{}@{}>", letter.key, from.email.domain());
    let mut building = Message::builder().from(from).subject(subject).message_id(Some(id));
    for to in post.to {
        // A bad address is told when its turn comes; the others are addressed.
        if let Ok(to) = mailbox(to)
            && (offers.utf8 || is_plain(&to))
        {
            building = building.to(to);
        }
    }
    let note = "(This could not be stored: the disk of bakewatch is failing.)";
    let text = if post.not_stored { format!("{note}\n\n{text}") } else { text.clone() };
    let html = if post.not_stored { format!("<p>{note}</p>{html}") } else { html.clone() };
    let parts = parts(&letter.key, text, html, images)?;
    let mut message =
        building.multipart(parts).map_err(|error| format!("the mail cannot be built: {error}"))?;
    for (name, value) in headers {
        let name = HeaderName::new_from_ascii(name.clone())
            .map_err(|_| format!("the mail cannot be built: {name:?} is no header"))?;
        message.headers_mut().insert_raw(HeaderValue::new(name, value.clone()));
    }
    Ok(message.formatted())
}

/// The text and the page, and what the page shows. The borders between them are
/// made of the letter's key, so that they are the same on every try.
fn parts(key: &str, text: String, html: String, images: &[Image]) -> Result<MultiPart, String> {
    let border = |what: &str| format!("{what}-{key}");
    let both = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(border("both"));
    let both = both.singlepart(SinglePart::plain(text)).singlepart(SinglePart::html(html));
    if images.is_empty() {
        return Ok(both);
    }
    let all = MultiPart::builder().kind(MultiPartKind::Related).boundary(border("all"));
    let mut all = all.multipart(both);
    let kind = ContentType::parse("image/png").map_err(|error| error.to_string())?;
    for (index, image) in images.iter().enumerate() {
        let png = BASE64_STANDARD.decode(&image.png).map_err(|error| error.to_string())?;
        let name = format!("chart-{}.png", index + 1);
        let part = Attachment::new_inline_with_name(image.id.clone(), name);
        all = all.singlepart(part.body(png, kind.clone()));
    }
    Ok(all)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Our side is at fault: a secret or a file. It may be put right at any time.
fn ours(detail: String) -> Stop {
    Stop::Before { detail, permanent: false }
}

fn before(step: &str, error: &SmtpError) -> Stop {
    let detail = format!("{step}: {}", words_of(error));
    Stop::Before { detail, permanent: error.is_permanent() }
}

/// After the last dot an answer decides; without one nobody knows.
fn sent(error: &SmtpError) -> Stop {
    let detail = format!("after DATA: {}", words_of(error));
    if error.is_permanent() || error.is_transient() {
        return Stop::Before { detail, permanent: error.is_permanent() };
    }
    Stop::After { detail }
}

/// The server's answer, or the innermost cause.
fn words_of(error: &SmtpError) -> String {
    let code = error.status().map(|code| format!("{code} ")).unwrap_or_default();
    format!("{code}{}", super::http::deepest(error))
}

impl Deferred {
    fn recall(&self, key: &str) -> Partly {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.get(key).cloned().unwrap_or_default()
    }

    fn remember(&self, key: &str, known: Option<Partly>) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(known) => {
                while letters.len() >= LETTERS_MAX {
                    letters.pop_first();
                }
                letters.insert(key.to_owned(), known);
            }
            None => {
                letters.remove(key);
            }
        }
    }
}
