//! Moto's server: S3 as others understand it, so that nothing passes because the server of this folder has the same
//! mistake as the program.
//!
//! Moto is installed with what its S3 needs, and Flask beside it, which its server needs: all of `moto[server]` is
//! more than twice as much.
//!
//! Moto 5.2.5 was tried with botocore, operation by operation. As S3: `If-None-Match: *` and `If-Match` on what is put
//! (412, and 404 where there is nothing to match; one of eight at once won, in each of 60 rounds), on completing an
//! upload, and on what is got (412, 304); ranges, the last bytes too, and 416; pages, delimiter, start-after and tokens
//! of ListObjectsV2; the least size of parts; ETags of parts and of what is made of them; completing once more gives
//! the same answer, aborting once more 404. Not as S3: it looks at no signature (so credentials, regions and clocks are
//! never wrong), at no checksum and not at the order of parts, and answers 500 to a part of an upload that was aborted.
//! It starts in a second or two.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use super::Endpoint;
use super::client::Client;
use super::process::Process;
use super::server::{ACCESS_KEY, BUCKET, REGION, SECRET_KEY};
use super::xml::{element, texts};

/// Says where it is, and ends when its standard input does.
const PROGRAM: &str = "
import logging, sys
logging.getLogger('werkzeug').setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print('http://%s:%d' % server.get_host_and_port(), flush=True)
sys.stdin.read()
";

/// Has the one bucket, empty.
pub struct Moto {
    process: Process,
}

impl Moto {
    pub fn start() -> Self {
        let python = std::env::var("LOOKBACK_PYTHON").expect(
            "this test needs LOOKBACK_PYTHON, a Python with the packages of tests/requirements.txt: run tools/test",
        );
        let process = Process::start(Command::new(python).args(["-c", PROGRAM]));
        let moto = Moto { process };
        let region =
            format!("<CreateBucketConfiguration>{}</CreateBucketConfiguration>", element("LocationConstraint", REGION));
        let created = moto.client().ask("PUT", "", &[], region.as_bytes());
        assert_eq!(created.status, 200, "{}", created.text());
        moto
    }

    /// As [`super::S3Server::objects`].
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.client().objects()
    }

    /// As [`super::S3Server::open_uploads`].
    pub fn open_uploads(&self) -> Vec<String> {
        texts(&self.client().ask("GET", "?uploads", &[], b"").text(), "Key")
    }

    fn client(&self) -> Client {
        Client::to(self.address())
    }
}

impl Endpoint for Moto {
    fn address(&self) -> SocketAddr {
        self.process.address
    }

    fn environment_at(&self, address: SocketAddr) -> Vec<(String, String)> {
        super::amazon(address, REGION, ACCESS_KEY, SECRET_KEY)
    }

    fn url(&self, key: &str) -> String {
        format!("s3://{BUCKET}/{key}")
    }
}
