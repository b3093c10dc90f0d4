//! What is asked besides HTTP: something that accepts connections, bears a
//! certificate, has a name, and says that it serves, or does not.

use bakewatch::model::{
    Ask, Beyond, Certificate, DAY, DnsData, DnsRecord, Exchange, Failure, HOUR, Serving, Span,
    Timestamp, TlsFacts,
};

/// How it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Answers,
    Refuses,
    Hangs,
}

#[derive(Clone, Debug)]
pub struct Other {
    pub manner: Manner,
    /// When its certificate ends.
    pub ends: Timestamp,
}

impl Other {
    pub fn new(now: Timestamp) -> Other {
        Other { manner: Manner::Answers, ends: now + 90 * DAY }
    }

    /// How long it takes, and what comes.
    pub fn answer(
        &self,
        ask: &Ask,
        timeout: Span,
        now: Timestamp,
    ) -> (Span, Result<Exchange, Failure>) {
        let quick = Span::from_millis(2);
        match self.manner {
            Manner::Answers => {}
            Manner::Refuses => return (quick, Err(Failure::Refused)),
            Manner::Hangs => return (timeout, Err(Failure::Timeout(timeout))),
        }
        let beyond = match ask {
            Ask::Tcp { .. } => Beyond::default(),
            Ask::Tls { .. } => Beyond { tls: Some(self.session(now)), ..Beyond::default() },
            Ask::Dns { .. } => {
                let data = DnsData::A([10, 0, 0, 1].into());
                Beyond { dns: Some(vec![DnsRecord { ttl: HOUR, data }]), ..Beyond::default() }
            }
            Ask::Grpc { .. } => Beyond { serving: Some(Serving::Serving), ..Beyond::default() },
        };
        let beyond = Some(Box::new(beyond));
        (quick, Ok(Exchange { elapsed: quick, beyond, ..Exchange::default() }))
    }

    fn session(&self, now: Timestamp) -> TlsFacts {
        let leaf = Certificate {
            subject: "CN=agent.example.com".to_owned(),
            issuer: "CN=Our authority".to_owned(),
            names: vec!["agent.example.com".to_owned()],
            not_before: self.ends - 90 * DAY,
            not_after: self.ends,
            is_self_signed: false,
        };
        TlsFacts {
            version: "1.3".to_owned(),
            cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
            alpn: None,
            chain: vec![leaf],
            distrust: None,
            expires_in: self.ends.since(now),
        }
    }
}
