//! The customers that the store has forgotten.

use super::engine::options::scanning;
use super::handle::Store;
use super::scan::Scan;
use crate::error::{Error, Kind, Result};
use crate::format::{BlockListRecord, Key, Keyspace, Secret, Token, token_of};
use crate::message::message;
use crate::model::CustomerId;
use crate::text::count;

/// The forgotten customers: ingest skips them, and produce writes no rows for them. Memory: 16 bytes for each customer;
/// there are at most [`crate::resources::Resources::customers_max`].
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockList {
    /// `None` if no customer has been forgotten.
    secret: Option<Secret>,
    /// Tokens of the forgotten customers, ascending.
    tokens: Vec<Token>,
}

/// Returns a new secret from the operating system.
pub(crate) fn new_secret() -> Result<Secret> {
    let mut secret = Secret::default();
    let drawn = rustix::rand::getrandom(&mut secret, rustix::rand::GetRandomFlags::empty());
    match drawn {
        Ok(bytes) if bytes == secret.len() => Ok(secret),
        _ => Err(Error::new(Kind::Io, "the system gives no random bytes", "fix the system and run again")),
    }
}

impl BlockList {
    /// Returns a list without customers.
    pub(crate) fn under(secret: Secret) -> Self {
        BlockList { secret: Some(secret), tokens: Vec::new() }
    }

    /// Adds the customers of another list. Fails if its tokens depend on another secret.
    ///
    /// Memory: 16 bytes for each customer of both.
    pub(crate) fn add(&mut self, other: BlockList) -> Result<()> {
        match (self.secret, other.secret) {
            (Some(secret), Some(of_other)) if secret != of_other => {
                return Err(Error::refused(
                    "the stores have forgotten customers, each under a secret of its own, which no one store can keep",
                    "leave them apart",
                ));
            }
            (one, of_other) => self.secret = one.or(of_other),
        }
        self.tokens.extend(other.tokens);
        self.tokens.sort_unstable();
        self.tokens.dedup();
        Ok(())
    }

    /// Returns whether a customer has been forgotten.
    pub(crate) fn holds(&self, customer: CustomerId) -> bool {
        self.token(customer).is_some_and(|token| self.tokens.binary_search(&token).is_ok())
    }

    /// Returns the token of a customer in this list; `None` if the list has no secret.
    pub(crate) fn token(&self, customer: CustomerId) -> Option<Token> {
        self.secret.as_ref().map(|secret| token_of(secret, customer))
    }

    /// Returns the number of forgotten customers.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Returns whether no customer has been forgotten.
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Returns the tokens of the forgotten customers, ascending.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Returns the record that the tokens depend on.
    pub(crate) fn record(&self) -> Option<BlockListRecord> {
        self.secret.map(|secret| BlockListRecord { secret })
    }
}

impl Store {
    /// Returns the customers that the store has forgotten.
    pub(crate) fn block_list(&self) -> Result<BlockList> {
        let record = self.record::<BlockListRecord>(Key::BlockList)?;
        let mut list = BlockList { secret: record.map(|record| record.secret), tokens: Vec::new() };
        let mut scan = Scan::new(self.db.raw_iterator_opt(scanning()), &self.folder);
        scan.seek(Key::Forgotten(Token::default()).encode());
        while let Some((key, _)) = scan.entry()?.filter(|(key, _)| key.first() == Some(&(Keyspace::BlockList as u8))) {
            let Key::Forgotten(token) = Key::decode(key)? else { break };
            if list.tokens.len() == self.folder.resources().customers_max() {
                return Err(Error::refused(
                    message![
                        "more customers have been forgotten than this ",
                        MemoryLimit,
                        (" allows ({})", count(list.tokens.len() as u64))
                    ],
                    message!["give a larger ", MemoryLimit],
                ));
            }
            list.tokens.push(token);
            scan.next();
        }
        if list.secret.is_none() && !list.tokens.is_empty() {
            return Err(Error::corrupt("the store has a block list without its secret"));
        }
        Ok(list)
    }
}
