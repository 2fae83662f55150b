//! The S3 server: what is asked for, done on a bucket in memory.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::bucket::{Bucket, ConditionalPuts, Dialect, Object, etag_of, quoted};
use super::digest::{hex, md5};
use super::http::{Body, Request, Response};
use super::kind::{self, Kind};
use super::listener::Listener;
use super::refusal::Refusal;
use super::xml::{document, element, texts};
use super::{Endpoint, access, clock, condition, listing, uploads};

/// The one bucket that there is.
pub const BUCKET: &str = "bucket";
pub const REGION: &str = "eu-central-1";
/// Who may ask. Long and unlike anything else, so that a test can look for the secrets in messages and files.
pub const ACCESS_KEY: &str = "AKIALOOKBACKTESTS0001";
pub const SECRET_KEY: &str = "SecretOfLookbackTestsThatNobodyMayShow01";
/// Google's in the place of both.
pub const TOKEN: &str = "ya29.TokenOfLookbackTestsThatNobodyMayShow01";

/// A server of S3's protocol, or of Google's, on a free loopback port; it ends with its value.
pub struct S3Server {
    bucket: Arc<Mutex<Bucket>>,
    listener: Listener,
}

impl S3Server {
    pub fn start() -> Self {
        Self::of(Dialect::Amazon)
    }

    /// The same operations with the headers of Google Cloud Storage.
    pub fn google() -> Self {
        Self::of(Dialect::Google)
    }

    fn of(dialect: Dialect) -> Self {
        let bucket = Arc::new(Mutex::new(Bucket::new(dialect)));
        let listener = Listener::start({
            let bucket = bucket.clone();
            move |stream| serve(&bucket, stream)
        });
        S3Server { bucket, listener }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap()
    }

    /// The bytes of each object, by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.bucket().objects.iter().map(|(key, object)| (key.clone(), object.bytes.to_vec())).collect()
    }

    /// The keys of uploads in parts that were neither completed nor aborted.
    pub fn open_uploads(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.bucket().uploads.values().map(|upload| upload.key.clone()).collect();
        keys.sort();
        keys
    }

    /// Aborts all open uploads past all requests, as a rule of the bucket does.
    pub fn give_up_uploads(&self) {
        self.bucket().uploads.clear();
    }

    /// Puts an object past all requests.
    pub fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = Arc::new(bytes.into());
        let etag = etag_of(&bytes);
        self.bucket().store(key, bytes, etag, Vec::new());
    }

    /// Removes an object past all requests; it must be there.
    pub fn remove(&self, key: &str) {
        assert!(self.bucket().objects.remove(key).is_some(), "{key} is not there");
    }

    /// How many entries an answer to a list has at most; 1000 else.
    pub fn set_page(&self, entries: usize) {
        self.bucket().page = entries;
    }

    /// How many bytes all parts but the last have at least; 5 MiB else.
    pub fn set_least_part(&self, bytes: usize) {
        self.bucket().least_part = bytes;
    }

    /// Whether completing an upload once more succeeds, as S3 has it, or finds none, as others have it.
    pub fn set_remembers_completed(&self, remembers: bool) {
        self.bucket().remembers_completed = remembers;
    }

    /// From now on ETags are no digests, as S3's are not where it encrypts, and no body is compared with its checksums:
    /// for measuring, since digests are most of what this server does.
    pub fn set_opaque_etags(&self) {
        self.bucket().has_opaque_etags = true;
    }

    pub fn set_conditional_puts(&self, conditional_puts: ConditionalPuts) {
        self.bucket().conditional_puts = conditional_puts;
    }

    /// Denies requests of a kind, as a policy does.
    pub fn deny(&self, kind: Kind) {
        self.bucket().denied.insert(kind);
    }

    /// Moves the bucket to another region: that of the environment is wrong then.
    pub fn set_region(&self, region: &str) {
        self.bucket().region = region.to_owned();
    }

    /// From now on the server's clock is ahead of the client's.
    pub fn set_clock_ahead(&self, by: Duration) {
        self.bucket().ahead = i64::try_from(by.as_millis()).unwrap();
    }

    /// Makes all that is there, open uploads too, older.
    pub fn age(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        let mut bucket = self.bucket();
        bucket.objects.values_mut().for_each(|object| object.modified -= by);
        bucket.uploads.values_mut().for_each(|upload| upload.begun -= by);
    }
}

impl Endpoint for S3Server {
    fn address(&self) -> SocketAddr {
        self.listener.address
    }

    fn environment_at(&self, address: SocketAddr) -> Vec<(String, String)> {
        match self.bucket().dialect {
            Dialect::Amazon => super::amazon(address, REGION, ACCESS_KEY, SECRET_KEY),
            Dialect::Google => super::google(address, TOKEN),
        }
    }

    fn url(&self, key: &str) -> String {
        let scheme = if self.bucket().dialect == Dialect::Amazon { "s3" } else { "gs" };
        format!("{scheme}://{BUCKET}/{key}")
    }
}

fn serve(bucket: &Mutex<Bucket>, stream: TcpStream) {
    let mut from = BufReader::new(stream);
    // An error is a client that has gone, or the end of the server.
    while let Ok(Some(request)) = Request::read(&mut from) {
        let method = request.method.clone();
        let response = answer(bucket, request).unwrap_or_else(|refusal| refusal.response());
        let date = clock::http(bucket.lock().unwrap().now());
        let response = response.with("Date", date).with("Server", "lookback-tests");
        if response.write(from.get_mut(), &method).is_err() {
            return;
        }
    }
}

fn answer(bucket: &Mutex<Bucket>, request: Request) -> Result<Response, Refusal> {
    let kind = Kind::of(&request);
    let (name, key) = kind::bucket_and_key(&request);
    access::check(&bucket.lock().unwrap(), &request, kind)?;
    if name != BUCKET {
        return Err(Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"));
    }
    let mut request = condition::unpacked(request)?;
    let is_opaque = bucket.lock().unwrap().has_opaque_etags;
    // Digests are made while others use the bucket.
    let digest = match kind {
        _ if is_opaque => bucket.lock().unwrap().next_opaque(),
        Kind::Put | Kind::UploadPart => md5(&request.body),
        _ => [0; 16],
    };
    if !is_opaque {
        condition::body(&request)?;
    }
    let bytes = match kind {
        Kind::Put | Kind::UploadPart => Arc::new(std::mem::take(&mut request.body)),
        _ => Arc::default(),
    };
    let (bucket, request) = (&mut *bucket.lock().unwrap(), &request);
    match kind {
        Kind::Get | Kind::Head => get(bucket, request, &key),
        Kind::Put => {
            condition::write(bucket, request, &key)?;
            let object = bucket.store(&key, bytes, quoted(&hex(&digest)), kept(request));
            Ok(described(object, Response::new(200, "")))
        }
        Kind::Copy => copy(bucket, request, &key),
        // To S3, what is not there counts as deleted.
        Kind::Delete => match (bucket.objects.remove(&key), bucket.dialect) {
            (None, Dialect::Google) => Err(Refusal::no_key(&key)),
            _ => Ok(Response::new(204, "")),
        },
        Kind::DeleteMany if bucket.dialect == Dialect::Google => Err(Refusal::not_implemented("delete")),
        Kind::DeleteMany => delete_many(bucket, request),
        Kind::List => listing::list(bucket, request),
        Kind::CreateUpload => Ok(uploads::create(bucket, &key, kept(request))),
        Kind::UploadPart if kind::copy_source(request).is_some() => {
            Err(Refusal::not_implemented("x-amz-copy-source of a part"))
        }
        Kind::UploadPart => uploads::put_part(bucket, request, &key, bytes, digest),
        Kind::CompleteUpload => uploads::complete(bucket, request, &key),
        Kind::AbortUpload => uploads::abort(bucket, request, &key),
        Kind::ListUploads => Ok(uploads::list(bucket, request)),
        Kind::ListParts => uploads::list_parts(bucket, request, &key),
        Kind::Bucket if request.method == "PUT" => {
            Err(Refusal::new(409, "BucketAlreadyOwnedByYou", "The bucket is already there, and yours."))
        }
        Kind::Bucket => {
            let location = document("LocationConstraint", &bucket.region);
            Ok(Response::new(200, location).with("x-amz-bucket-region", &bucket.region))
        }
        Kind::Other => Err(Refusal::new(405, "MethodNotAllowed", "The specified method is not allowed here.")),
    }
}

/// The headers that are kept with an object and given back with it.
fn kept(request: &Request) -> Vec<(String, String)> {
    let is_kept =
        |name: &str| name == "content-type" || name.starts_with("x-amz-meta-") || name.starts_with("x-goog-meta-");
    let headers = request.headers.0.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    headers.filter(|(name, _)| is_kept(name)).collect()
}

/// An answer about an object, with the headers that tell which it is.
fn described(object: &Object, response: Response) -> Response {
    let modified = clock::http(object.modified);
    response.with("ETag", &object.etag).with("Last-Modified", modified).with("x-goog-generation", object.generation)
}

fn get(bucket: &Bucket, request: &Request, key: &str) -> Result<Response, Refusal> {
    let object = bucket.objects.get(key).ok_or_else(|| Refusal::no_key(key))?;
    if !condition::read(request, object)? {
        return Ok(described(object, Response::new(304, "")));
    }
    let length = object.bytes.len();
    let mut response = described(object, Response::new(200, "")).with("Accept-Ranges", "bytes");
    response = response.with("Content-Type", "binary/octet-stream");
    for (name, value) in &object.headers {
        response = response.with(name, value);
    }
    let range = condition::range(request, length)?;
    if let Some((first, behind)) = range {
        response.status = 206;
        response = response.with("Content-Range", format!("bytes {first}-{}/{length}", behind - 1));
    }
    let (first, behind) = range.unwrap_or((0, length));
    response.body = Body { bytes: object.bytes.clone(), range: first..behind };
    Ok(response)
}

fn copy(bucket: &mut Bucket, request: &Request, key: &str) -> Result<Response, Refusal> {
    let source = kind::copy_source(request).unwrap_or_default().trim_start_matches('/');
    let source = Request { method: "GET".to_owned(), target: format!("/{source}"), ..request.clone() };
    let (_, source) = kind::bucket_and_key(&source);
    let object = bucket.objects.get(&source).cloned().ok_or_else(|| Refusal::no_key(&source))?;
    condition::write(bucket, request, key)?;
    let copied = bucket.store(key, object.bytes.clone(), etag_of(&object.bytes), object.headers);
    let inner = element("ETag", &copied.etag) + &element("LastModified", clock::iso(copied.modified));
    Ok(Response::new(200, document("CopyObjectResult", &inner)).with("Content-Type", "application/xml"))
}

fn delete_many(bucket: &mut Bucket, request: &Request) -> Result<Response, Refusal> {
    let header = |name: &str| request.headers.get(name).is_some();
    if !header("Content-MD5") && !header("x-amz-checksum-sha256") {
        return Err(Refusal::new(400, "InvalidRequest", "Missing required header for this request: Content-MD5"));
    }
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let keys = texts(&body, "Key");
    if keys.is_empty() || keys.len() > 1_000 {
        return Err(Refusal::new(400, "MalformedXML", "The XML you provided was not well-formed"));
    }
    let is_quiet = texts(&body, "Quiet").iter().any(|quiet| quiet == "true");
    let mut inner = String::new();
    for key in keys {
        if bucket.denied.contains(&Kind::Delete) {
            let error = element("Key", &key) + &element("Code", "AccessDenied") + &element("Message", "Access Denied");
            inner += &format!("<Error>{error}</Error>");
            continue;
        }
        // What is not there counts as deleted.
        bucket.objects.remove(&key);
        if !is_quiet {
            inner += &format!("<Deleted>{}</Deleted>", element("Key", key));
        }
    }
    Ok(Response::new(200, document("DeleteResult", &inner)).with("Content-Type", "application/xml"))
}
