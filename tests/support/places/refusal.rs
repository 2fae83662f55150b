//! Errors as S3 says them: a status, and XML with a code and a message.

use super::http::Response;
use super::xml::element;

/// Why a request was not done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    message: String,
    /// More elements in the body.
    more: String,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Refusal { status, code, message: message.into(), more: String::new() }
    }

    /// The same with one more element in its body.
    pub fn with(mut self, name: &str, text: &str) -> Self {
        self.more += &element(name, text);
        self
    }

    pub fn no_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
    }

    pub fn precondition(header: &str) -> Self {
        let message = "At least one of the pre-conditions you specified did not hold";
        Self::new(412, "PreconditionFailed", message).with("Condition", header)
    }

    pub fn not_implemented(what: &str) -> Self {
        Self::new(
            501,
            "NotImplemented",
            format!("A header you provided implies functionality that is not implemented: {what}"),
        )
    }

    /// The answer; that to HEAD has no body, and so no code.
    pub fn response(&self) -> Response {
        let inner = element("Code", self.code) + &element("Message", &self.message) + &self.more;
        let inner = inner + &element("RequestId", "0000000000000000");
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{inner}</Error>");
        // Azure's clients look at a header for the code.
        let response = Response::new(self.status, body).with("Content-Type", "application/xml");
        response.with("x-ms-error-code", self.code)
    }
}
