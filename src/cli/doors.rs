//! Where a running watch can be asked: the socket in its state directory, and
//! the address that the configuration names.

use std::net::SocketAddr;
use std::path::Path;

use tokio::sync::watch as signals;

use crate::config::Checked;
use crate::daemon::api;
use crate::daemon::api::listen::{self, Names, Public, Socket};
use crate::daemon::desk::{Desk, desk};
use crate::daemon::reload::Read;
use crate::daemon::turn::Turns;

/// The one address of all files.
///
/// # Errors
/// They name several.
pub fn address(all: &[Checked]) -> Result<Option<SocketAddr>, String> {
    let mut named = all.iter().filter_map(|one| one.listen);
    let Some(first) = named.next() else { return Ok(None) };
    match named.find(|other| *other != first) {
        None => Ok(Some(first)),
        Some(other) => Err(format!(
            "listen: one file says {first}, another {other}; one process listens at one address: \
             write it in one of the files"
        )),
    }
}

/// The page behind the links of test alerts, for whoever calls it by one of these
/// names as they are then; there is none while nobody is asked.
pub fn public(dir: &Path, names: Names, desk: Option<Desk>) -> Public {
    Public { router: api::confirming(dir.to_owned(), desk), names }
}

/// A reading of the configuration, refused where it would move the door.
pub fn unmoved(read: Read, now: Option<SocketAddr>) -> Read {
    let Some(all) = read? else { return Ok(None) };
    let next = address(&all).map_err(|error| vec![error])?;
    if next == now {
        return Ok(Some(all));
    }
    let words = |at: Option<SocketAddr>| at.map_or("none".to_owned(), |at| at.to_string());
    let (now, next) = (words(now), words(next));
    Err(vec![format!("listen: {now} -> {next}: a running watch stays where it is; restart it")])
}

/// Opens them. A watch goes on without its socket, where there can be none; an
/// address that was asked for has to be had.
///
/// # Errors
/// The address cannot be had.
pub async fn open(
    dir: &Path,
    address: Option<SocketAddr>,
    names: Vec<String>,
    mut turns: Turns,
) -> Result<(Turns, Option<Socket>), String> {
    let (desk, readers) = desk();
    let router = api::reading(desk.clone());
    // Orders come in here alone: whoever may use the directory may give them.
    let socket = Socket::open(dir, router.clone().merge(api::control(desk.clone())));
    if let Err(why) = &socket {
        tracing::warn!("there is no socket, so `query` cannot ask this watch: {why}");
    }
    if let Some(address) = address {
        // A reload may give others.
        let (told, names) = signals::channel(names);
        turns = turns.with_names(told);
        let public = public(dir, names, Some(desk));
        let address = listen::open_with(address, router, Some(public)).await?;
        tracing::info!("queries are answered at http://{address}");
    }
    Ok((turns.with_readers(readers), socket.ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Given, Source, read};

    fn checked(listen: &str) -> Checked {
        let text = format!("url = \"http://127.0.0.1:1\"\n{listen}");
        let source = Source { file: "a.toml".to_owned(), text };
        read(Some(&source), &Given::default()).expect("it is right")
    }

    #[test]
    fn finds_the_one_address_of_all_files() {
        let (one, two) = ("listen = \"127.0.0.1:1\"", "listen = \"127.0.0.1:2\"");
        let found = |all: &[&str]| {
            let all: Vec<Checked> = all.iter().map(|text| checked(text)).collect();
            address(&all).map(|at| at.map(|at| at.port()))
        };
        assert_eq!(found(&["", ""]), Ok(None));
        assert_eq!(found(&["", one, one]), Ok(Some(1)));
        assert!(found(&[one, "", two]).unwrap_err().contains("write it in one of the files"));
        assert_eq!(found(&["listen = \"localhost:7\""]), Ok(Some(7)));
    }

    #[test]
    fn refuses_a_reading_that_would_move_the_door() {
        let one = || checked("listen = \"127.0.0.1:1\"");
        let now = address(&[one()]).expect("one");
        let ports = |read: Read| read.map(|all| all.map(|all| all.len()));
        assert_eq!(ports(unmoved(Ok(Some(vec![one()])), now)), Ok(Some(1)));
        assert_eq!(ports(unmoved(Ok(None), now)), Ok(None));
        assert_eq!(ports(unmoved(Err(vec!["wrong".into()]), now)), Err(vec!["wrong".into()]));
        let moved = ports(unmoved(Ok(Some(vec![checked("")])), now)).expect_err("it would");
        let told = "listen: 127.0.0.1:1 -> none: a running watch stays where it is; restart it";
        assert_eq!(moved, [told]);
    }
}
