//! Links in test letters, by the real binary: whoever follows one says that it
//! arrived, once; nobody else can, and nothing else is open by it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use bakewatch::daemon::store::Reader;
use bakewatch::record::Fact;

use super::cli::{bakewatch, service};

/// Longer than any of it takes, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

const NAME: &str = "watch.example.com";

type Taken = Arc<Mutex<Vec<String>>>;

/// Keeps what it is told.
async fn receiver(taken: Taken) -> String {
    let take = move |body: String| async move {
        taken.lock().unwrap().push(body);
        (StatusCode::OK, "ok")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
    url
}

/// Killed by its drop, whatever became of the test.
struct Running(Child);

impl Running {
    fn start(dir: &Path, args: &[&str]) -> Running {
        let file = |name: &str| std::fs::File::create(dir.join(name)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bakewatch"));
        command.args(args).env("STATE_DIRECTORY", dir).env("BAKEWATCH_LOG", "bakewatch=trace");
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err"));
        Running(command.spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A configuration with a chat, which is asked, and a program, which is not.
struct World {
    dir: tempfile::TempDir,
    file: String,
    port: u16,
    chat: Taken,
    hook: Taken,
}

impl World {
    async fn new() -> World {
        let (chat, hook) = (Taken::default(), Taken::default());
        let at = [receiver(chat.clone()).await, receiver(hook.clone()).await];
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "service = \"chat\"\nurl = {:?}\nlisten = \"127.0.0.1:{port}\"\n\
             [rehearse]\nconfirm = \"https://{NAME}/some/where/\"\n\
             [[channel]]\nname = \"team\"\ntype = \"slack\"\nurl = {:?}\n\
             [[channel]]\nname = \"hook\"\ntype = \"webhook\"\nurl = {:?}\n",
            service().await,
            at[0],
            at[1]
        );
        let file = dir.path().join("bakewatch.toml");
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap().to_owned();
        World { dir, file, port, chat, hook }
    }

    /// The tokens of the letters that the chat was sent, when it has had all three.
    async fn tokens(&self) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        while self.chat.lock().unwrap().len() < 3 {
            assert!(Instant::now() < until, "three letters");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let start = format!("https://{NAME}/some/where/rehearsal/");
        let letters = self.chat.lock().unwrap();
        let token = |letter: &String| {
            let (_, rest) = letter.split_once(&start).expect("a link in each letter");
            rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>()
        };
        letters.iter().map(token).collect()
    }

    /// Status and body; asked again until somebody answers at the address.
    async fn ask(&self, method: &str, path: &str, host: &str, form: &str) -> (u16, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let until = Instant::now() + PATIENCE;
        loop {
            let method = method.parse().unwrap();
            let request = client.request(method, &url).header("host", host);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            match request.body(form.to_owned()).send().await {
                Ok(answer) => return (answer.status().as_u16(), answer.text().await.unwrap()),
                Err(why) => assert!(Instant::now() < until, "{why}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Nothing that is kept or was said bears a token.
    fn shows_none_of(&self, tokens: &[String]) {
        for file in std::fs::read_dir(self.dir.path()).unwrap() {
            let file = file.unwrap().path();
            let Ok(bytes) = std::fs::read(&file) else { continue };
            for token in tokens {
                let is_in = bytes.windows(token.len()).any(|part| part == token.as_bytes());
                assert!(!is_in, "{} shows a token", file.display());
            }
        }
    }
}

#[tokio::test]
async fn a_person_confirms_once_and_the_next_report_tells_when() {
    let world = World::new().await;
    let args = ["rehearse", "-c", &world.file, "--wait", "2m"];
    let mut waiting = Running::start(world.dir.path(), &args);
    let tokens = world.tokens().await;
    assert!(tokens.iter().all(|token| token.len() == 32) && tokens[0] != tokens[1], "{tokens:?}");
    let path = |token: &str| format!("/rehearsal/{token}");
    // As scanners of mail do.
    for method in ["GET", "HEAD", "GET"] {
        let (status, page) = world.ask(method, &path(&tokens[0]), NAME, "").await;
        assert_eq!(status, 200, "{page}");
        assert!(method == "HEAD" || page.contains("<form method=\"post\">"), "{page}");
    }
    let (_, any) = world.ask("GET", &path("0123"), NAME, "").await;
    let (_, same) = world.ask("GET", &path(&tokens[0]), NAME, "").await;
    assert_eq!(any, same, "the page knows nothing of tokens");
    assert_eq!(world.ask("POST", &path(&tokens[0]), NAME, "").await.0, 400);
    let long = format!("seen=yes&x={}", "x".repeat(1000));
    assert_eq!(world.ask("POST", &path(&tokens[0]), NAME, &long).await.0, 413);
    let wrong = world.ask("POST", &path("0123"), NAME, "seen=yes").await;
    assert_eq!(wrong.0, 404);
    assert!(waiting.0.try_wait().unwrap().is_none(), "nobody has confirmed anything");

    let (status, page) = world.ask("POST", &path(&tokens[1]), NAME, "seen=yes").await;
    assert!(status == 200 && page.contains("Thank you") && page.contains("<b>team</b>"), "{page}");
    let code = tokio::task::spawn_blocking(move || waiting.0.wait().unwrap().code());
    assert_eq!(code.await.unwrap(), Some(0));
    let out = std::fs::read_to_string(world.dir.path().join("out")).unwrap();
    assert!(out.contains("a link in it asks a person to confirm it: team"), "{out}");
    assert!(out.contains("chat: team: seen by a person, 20"), "{out}");
    let asked = world.hook.lock().unwrap().iter().filter(|body| body.contains(NAME)).count();
    assert_eq!(asked, 0, "a program presses no button");
    world.shows_none_of(&tokens);

    for release in ["v1", "v2"] {
        let run = ["run", "-c", &world.file, "--release", release, "--until", "smoke"];
        bakewatch(world.dir.path(), &run).await;
    }
    // A release that another has superseded tells it as well.
    let (code, words, err) = bakewatch(world.dir.path(), &["report", "--release", "v1"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(words.contains("superseded by v2"), "{words}");
    assert!(words.contains("Test alert received "), "{words}");
    assert!(words.contains("Seen by a person: team "), "{words}");
}

#[tokio::test]
async fn a_watch_that_runs_takes_it_at_this_path_alone_and_notes_it() {
    let world = World::new().await;
    let args = ["run", "-c", &world.file, "--release", "v1", "--rehearse"];
    let running = Running::start(world.dir.path(), &args);
    let tokens = world.tokens().await;
    let path = format!("/rehearsal/{}", tokens[2]);
    assert_eq!(world.ask("GET", &path, "evil.example", "").await.0, 403);
    assert_eq!(world.ask("POST", &path, "evil.example", "seen=yes").await.0, 403);
    for other in ["/-/healthy", "/api/v1/labels", "/api/v1/control/silence", "/rehearsal/"] {
        assert_eq!(world.ask("GET", other, NAME, "").await.0, 403, "{other}");
    }
    assert_eq!(world.ask("GET", "/-/healthy", "localhost", "").await.0, 200);
    // By two at once: one of them is the first.
    let press = || world.ask("POST", &path, "WATCH.example.com:443", "seen=yes");
    let (one, other) = tokio::join!(press(), press());
    let mut both = [one.0, other.0];
    both.sort_unstable();
    assert_eq!(both, [200, 404]);
    let used = if one.0 == 404 { one.1 } else { other.1 };
    assert_eq!(world.ask("POST", "/rehearsal/0123", NAME, "seen=yes").await.1, used);
    let seen = |reader: &Reader| {
        let id = reader.latest().unwrap()?;
        let facts = reader.facts(&id).unwrap();
        facts.into_iter().find_map(|(_, fact)| match fact {
            Fact::Rehearsed(rehearsal) => rehearsal.letters.iter().find_map(|one| one.seen_at),
            _ => None,
        })
    };
    // It was stored before it was answered.
    assert!(seen(&Reader::open(world.dir.path()).unwrap()).is_some());
    drop(running);
    world.shows_none_of(&tokens);
    let err = std::fs::read_to_string(world.dir.path().join("err")).unwrap();
    assert!(err.contains("team"), "the log tells who: {err}");

    // The next test's links are in place of these.
    world.chat.lock().unwrap().clear();
    let (code, out, err) =
        bakewatch(world.dir.path(), &["rehearse", "-c", &world.file, "--wait", "1s"]).await;
    assert_eq!(code, Some(3), "{out}{err}");
    assert!(out.contains("chat: team: not confirmed by a person"), "{out}");
    assert_ne!(world.tokens().await[0], tokens[0]);
}

#[tokio::test]
async fn a_reload_says_by_which_name_people_come_and_whether_any_do() {
    let world = World::new().await;
    let asks = std::fs::read_to_string(&world.file).unwrap();
    let table = format!("[rehearse]\nconfirm = \"https://{NAME}/some/where/\"\n");
    let silent = asks.replace(&table, "");
    assert_ne!(silent, asks);
    std::fs::write(&world.file, &silent).unwrap();
    let args = ["run", "-c", &world.file, "--release", "v1"];
    let running = Running::start(world.dir.path(), &args);
    let becomes = async |host: &str, wanted: u16| {
        let until = Instant::now() + PATIENCE;
        while world.ask("GET", "/rehearsal/0123", host, "").await.0 != wanted {
            assert!(Instant::now() < until, "{host} is never answered {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    becomes("localhost", 404).await;
    let other = "other.example.com";
    for (text, of_name, of_other) in
        [(asks.clone(), 200, 403), (asks.replace(NAME, other), 403, 200), (silent, 404, 404)]
    {
        std::fs::write(&world.file, text).unwrap();
        running.signal("-HUP");
        becomes(NAME, of_name).await;
        becomes(other, of_other).await;
    }
}
