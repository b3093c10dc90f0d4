//! A tiny name server on loopback, written byte by byte, so that what our
//! client reads was not written by its own library.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

/// What it answers to any question.
#[derive(Clone)]
pub enum Says {
    /// These records of the type that was asked for: seconds to live, and data.
    Records(Vec<(u32, Vec<u8>)>),
    /// No records, and this code: 0 fine, 2 failure, 3 no such name, 5 refused.
    Code(u8),
    /// Nothing at all.
    Nothing,
}

/// It listens until the test ends.
pub struct NameServer {
    pub address: SocketAddr,
    says: Arc<Mutex<Says>>,
}

impl NameServer {
    pub async fn start(says: Says) -> NameServer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound socket");
        let says = Arc::new(Mutex::new(says));
        let now = says.clone();
        tokio::spawn(async move {
            let mut datagram = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
                let says = now.lock().expect("no test panics with it").clone();
                if let Some(answer) = answer(&datagram[..length], &says) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        NameServer { address, says }
    }

    /// From now on it answers this.
    pub fn says(&self, says: Says) {
        *self.says.lock().expect("no test panics with it") = says;
    }
}

/// An A record's data.
pub fn ipv4(text: &str) -> Vec<u8> {
    text.parse::<std::net::Ipv4Addr>().expect("an address").octets().to_vec()
}

/// An SRV record's data.
pub fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Vec<u8> {
    let numbers = [priority, weight, port].into_iter().flat_map(u16::to_be_bytes);
    numbers.chain(name(target)).collect()
}

/// A TXT record's data, in two parts.
pub fn txt(first: &str, second: &str) -> Vec<u8> {
    [first, second].into_iter().flat_map(labelled).collect()
}

/// A name, uncompressed.
pub fn name(text: &str) -> Vec<u8> {
    text.split('.').flat_map(labelled).chain([0]).collect()
}

fn labelled(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short label");
    [&[length], text.as_bytes()].concat()
}

/// RFC 1035, 4.1: header, question, answers.
fn answer(query: &[u8], says: &Says) -> Option<Vec<u8>> {
    let (records, code) = match says {
        Says::Nothing => return None,
        Says::Code(code) => (&[][..], *code),
        Says::Records(records) => (records.as_slice(), 0),
    };
    let name_end = 12 + query.get(12..)?.iter().position(|byte| *byte == 0)? + 1;
    let question = query.get(12..name_end + 4)?;
    let mut answer = query.get(..2)?.to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1]); // a response, recursion available; one question
    answer.extend((records.len() as u16).to_be_bytes());
    answer.extend([0, 0, 0, 0]);
    answer.extend(question);
    for (ttl, data) in records {
        answer.extend([0xc0, 12]); // the question's name
        answer.extend(&question[question.len() - 4..]); // its type and class
        answer.extend(ttl.to_be_bytes());
        answer.extend((data.len() as u16).to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}
