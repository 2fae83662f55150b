//! AWS Signature Version 4 of a request, as the client makes it and the server looks whether it is right.

use super::digest::{hex, hmac_sha256, sha256};
use super::http::{Request, encode};

/// The hexadecimal signature of a request, over the headers whose names stand, in small letters and apart by `;`, in
/// `signed`. The request has its `x-amz-date`.
pub fn signature(request: &Request, signed: &str, secret: &str, region: &str) -> String {
    let header = |name: &str| request.headers.get(name).unwrap_or_default();
    let mut query: Vec<String> =
        request.query().iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    query.sort();
    let headers: String = signed.split(';').map(|name| format!("{name}:{}\n", header(name))).collect();
    let path = request.target.split('?').next().unwrap();
    let payload = match header("x-amz-content-sha256") {
        "" => hex(&sha256(&request.body)),
        given => given.to_owned(),
    };
    let canonical = [&request.method, path, &query.join("&"), &headers, signed, &payload].join("\n");
    let (time, date) = (header("x-amz-date"), header("x-amz-date").get(..8).unwrap_or_default());
    let text =
        format!("AWS4-HMAC-SHA256\n{time}\n{date}/{region}/s3/aws4_request\n{}", hex(&sha256(canonical.as_bytes())));
    let key = [date, region, "s3", "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()).to_vec());
    hex(&hmac_sha256(&key, text.as_bytes()))
}

/// The example of Amazon's documentation: "Signature calculations for the Authorization header", GET object.
#[test]
fn the_documented_example_is_signed() {
    let mut request = Request {
        method: "GET".to_owned(),
        target: "/test.txt".to_owned(),
        headers: super::http::Headers::default(),
        body: Vec::new(),
    };
    for (name, value) in [
        ("Host", "examplebucket.s3.amazonaws.com"),
        ("Range", "bytes=0-9"),
        ("x-amz-content-sha256", &hex(&sha256(b""))),
        ("x-amz-date", "20130524T000000Z"),
    ] {
        request.headers.set(name, value);
    }
    let signed = "host;range;x-amz-content-sha256;x-amz-date";
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let signature = signature(&request, signed, secret, "us-east-1");
    assert_eq!(signature, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}
