//! What a request asks for, in S3's protocol, in that of Google, which is nearly the same, and in Azure's.

use super::http::Request;

/// The operations that a client of an object store uses.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    Get,
    Head,
    Put,
    Copy,
    Delete,
    /// Several keys in one request.
    DeleteMany,
    List,
    CreateUpload,
    /// Azure: a block, which needs no `CreateUpload` before it.
    UploadPart,
    /// Azure: the list of blocks.
    CompleteUpload,
    AbortUpload,
    ListUploads,
    ListParts,
    /// About the bucket: whether and where it is; making it.
    Bucket,
    Other,
}

impl Kind {
    pub fn of(request: &Request) -> Self {
        let query = request.query();
        let has = |name: &str| query.iter().any(|(own, _)| own == name);
        let is = |name: &str, value: &str| query.iter().any(|(own, theirs)| own == name && theirs == value);
        let copies = copy_source(request);
        let is_bucket = bucket_and_key(request).1.is_empty();
        if is_azure(request) {
            return match request.method.as_str() {
                "GET" if is("comp", "list") => Kind::List,
                "POST" if is("comp", "batch") => Kind::DeleteMany,
                _ if is("restype", "container") => Kind::Bucket,
                "PUT" if is("comp", "block") => Kind::UploadPart,
                "PUT" if is("comp", "blocklist") => Kind::CompleteUpload,
                "PUT" if has("comp") => Kind::Other,
                "PUT" if copies.is_some() => Kind::Copy,
                "PUT" => Kind::Put,
                "GET" if has("comp") => Kind::Other,
                "GET" => Kind::Get,
                "HEAD" => Kind::Head,
                "DELETE" => Kind::Delete,
                _ => Kind::Other,
            };
        }
        match (request.method.as_str(), is_bucket) {
            ("GET", true) if has("uploads") => Kind::ListUploads,
            ("GET", true) if has("location") => Kind::Bucket,
            ("GET", true) => Kind::List,
            ("HEAD" | "PUT", true) => Kind::Bucket,
            ("POST", true) if has("delete") => Kind::DeleteMany,
            (_, true) => Kind::Other,
            ("GET", false) if has("uploadId") => Kind::ListParts,
            ("GET", false) => Kind::Get,
            ("HEAD", false) => Kind::Head,
            ("PUT", false) if has("uploadId") => Kind::UploadPart,
            ("PUT", false) if copies.is_some() => Kind::Copy,
            ("PUT", false) => Kind::Put,
            ("POST", false) if has("uploads") => Kind::CreateUpload,
            ("POST", false) if has("uploadId") => Kind::CompleteUpload,
            ("DELETE", false) if has("uploadId") => Kind::AbortUpload,
            ("DELETE", false) => Kind::Delete,
            _ => Kind::Other,
        }
    }

    /// Whether the request, once done, has changed something at the server.
    pub fn is_change(self) -> bool {
        !matches!(
            self,
            Kind::Get | Kind::Head | Kind::List | Kind::ListUploads | Kind::ListParts | Kind::Bucket | Kind::Other
        )
    }
}

/// What is to be copied, where something is.
pub fn copy_source(request: &Request) -> Option<&str> {
    ["x-amz-copy-source", "x-goog-copy-source", "x-ms-copy-source"]
        .into_iter()
        .find_map(|name| request.headers.get(name))
}

pub fn is_azure(request: &Request) -> bool {
    request.headers.get("x-ms-version").is_some()
}

/// The bucket, and the key within it, empty where the bucket is meant; with Azurite the account's name comes first.
pub fn bucket_and_key(request: &Request) -> (String, String) {
    let path = request.path();
    let path = path.strip_prefix('/').unwrap_or(&path);
    let path = if is_azure(request) { path.split_once('/').map_or("", |(_, rest)| rest) } else { path };
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (bucket.to_owned(), key.to_owned())
}

/// The key that a request is about; of a list, the prefix.
pub fn key(request: &Request) -> String {
    let (_, key) = bucket_and_key(request);
    if key.is_empty() { request.parameter("prefix").unwrap_or_default() } else { key }
}
