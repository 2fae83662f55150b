//! Who may ask: whether a request is signed, with the key, for the region and at the time that the server knows.

use super::bucket::{Bucket, Dialect};
use super::clock;
use super::http::Request;
use super::kind::Kind;
use super::refusal::Refusal;
use super::server::{ACCESS_KEY, SECRET_KEY, TOKEN};
use super::signing::signature;

/// How far a client's clock may be off, in milliseconds: S3's quarter of an hour.
const SKEW: i64 = 15 * 60 * 1_000;

pub fn denied() -> Refusal {
    Refusal::new(403, "AccessDenied", "Access Denied")
}

pub fn check(bucket: &Bucket, request: &Request, kind: Kind) -> Result<(), Refusal> {
    let authorization = request.headers.get("Authorization").unwrap_or_default();
    match bucket.dialect {
        Dialect::Amazon => check_signature(bucket, request, authorization)?,
        Dialect::Google if authorization == format!("Bearer {TOKEN}") => {}
        Dialect::Google => return Err(Refusal::new(401, "AuthenticationRequired", "Authentication required.")),
    }
    if bucket.denied.contains(&kind) { Err(denied()) } else { Ok(()) }
}

fn check_signature(bucket: &Bucket, request: &Request, authorization: &str) -> Result<(), Refusal> {
    let Some(fields) = authorization.strip_prefix("AWS4-HMAC-SHA256 ") else { return Err(denied()) };
    let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
    let malformed = |message: &str| Refusal::new(400, "AuthorizationHeaderMalformed", message);
    let fields = (field("Credential"), field("SignedHeaders"), field("Signature"));
    let (Some(credential), Some(signed), Some(given)) = fields else {
        return Err(malformed("The authorization header is malformed"));
    };
    let &[key, date, region, "s3", "aws4_request"] = credential.split('/').collect::<Vec<_>>().as_slice() else {
        return Err(malformed("The authorization header is malformed; the Credential is mal-formed"));
    };
    if key != ACCESS_KEY {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        return Err(Refusal::new(403, "InvalidAccessKeyId", message));
    }
    if region != bucket.region {
        let own = &bucket.region;
        let message =
            format!("The authorization header is malformed; the region '{region}' is wrong; expecting '{own}'");
        return Err(malformed(&message).with("Region", own));
    }
    let time = request.headers.get("x-amz-date").filter(|time| time.starts_with(date)).and_then(clock::parse);
    let time = time.ok_or_else(|| malformed("The authorization header is malformed; Invalid credential date"))?;
    if (time - bucket.now()).abs() > SKEW {
        let message = "The difference between the request time and the current time is too large.";
        return Err(Refusal::new(403, "RequestTimeTooSkewed", message));
    }
    if given != signature(request, signed, SECRET_KEY, region) {
        let message = "The request signature we calculated does not match the signature you provided.";
        return Err(Refusal::new(403, "SignatureDoesNotMatch", message));
    }
    Ok(())
}
