//! A customer as asked for.

use crate::model::CustomerId;
use crate::sort::{Fields, Record, put_text};

/// A customer whose history is asked for, with the text that the id was given as, if it is one. Ordered by id.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct AskedCustomer {
    /// The customer.
    pub customer: CustomerId,
    /// The text.
    pub text: Option<Box<str>>,
}

impl From<CustomerId> for AskedCustomer {
    fn from(customer: CustomerId) -> Self {
        AskedCustomer { customer, text: None }
    }
}

impl Record for AskedCustomer {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let AskedCustomer { customer, text } = self;
        bytes.extend_from_slice(&customer.0.to_le_bytes());
        put_text(text.as_deref(), bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let customer = CustomerId(i64::from_le_bytes(fields.take()?));
        let text = fields.text()?.map(Into::into);
        fields.end(AskedCustomer { customer, text })
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.text.as_ref().map_or(0, |text| text.len())
    }

    fn sort_key(&self) -> u64 {
        (self.customer.0 ^ i64::MIN).cast_unsigned()
    }
}
