//! MD5, SHA-256 and CRCs, of which S3 makes its ETags and checksums, and the texts in which they are written.

/// The words of bytes behind which a 1 bit, zeros and the length stand, in blocks of 64 bytes.
fn blocks(bytes: &[u8], length: [u8; 8]) -> impl Iterator<Item = [u8; 64]> {
    let whole = bytes.len() / 64 * 64;
    let mut tail = bytes[whole..].to_vec();
    tail.push(0x80);
    while tail.len() % 64 != 56 {
        tail.push(0);
    }
    tail.extend(length);
    let tail: Vec<[u8; 64]> = tail.chunks_exact(64).map(|block| block.try_into().unwrap()).collect();
    bytes[..whole].chunks_exact(64).map(|block| block.try_into().unwrap()).chain(tail)
}

/// RFC 1321.
pub fn md5(bytes: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let sines: [u32; 64] = std::array::from_fn(|i| ((i as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32);
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in blocks(bytes, (bytes.len() as u64 * 8).to_le_bytes()) {
        let words: [u32; 16] = std::array::from_fn(|i| u32::from_le_bytes(block[i * 4..i * 4 + 4].try_into().unwrap()));
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64 {
            let (mixed, word) = match i / 16 {
                0 => (b & c | !b & d, i),
                1 => (d & b | !d & c, 5 * i + 1),
                2 => (b ^ c ^ d, 3 * i + 5),
                _ => (c ^ (b | !d), 7 * i),
            };
            let sum = a.wrapping_add(mixed).wrapping_add(sines[i]).wrapping_add(words[word % 16]);
            (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(SHIFTS[i / 16][i % 4])));
        }
        for (own, new) in state.iter_mut().zip([a, b, c, d]) {
            *own = own.wrapping_add(new);
        }
    }
    std::array::from_fn(|i| state[i / 4].to_le_bytes()[i % 4])
}

/// The first 32 bits behind the point of the n-th roots of the first primes.
fn roots<const N: usize>(power: f64) -> [u32; N] {
    let primes = (2_u32..).filter(|number| (2..*number).take_while(|d| d * d <= *number).all(|d| number % d != 0));
    let mut primes = primes.map(f64::from);
    std::array::from_fn(|_| (primes.next().unwrap().powf(power).fract() * 4_294_967_296.0) as u32)
}

/// FIPS 180-4.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let keys: [u32; 64] = roots(1.0 / 3.0);
    let mut state: [u32; 8] = roots(0.5);
    for block in blocks(bytes, (bytes.len() as u64 * 8).to_be_bytes()) {
        let mut words = [0_u32; 64];
        for i in 0..64 {
            words[i] = if i < 16 {
                u32::from_be_bytes(block[i * 4..i * 4 + 4].try_into().unwrap())
            } else {
                let (early, late) = (words[i - 15], words[i - 2]);
                let early = early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3;
                let late = late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10;
                words[i - 16].wrapping_add(early).wrapping_add(words[i - 7]).wrapping_add(late)
            };
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for i in 0..64 {
            let turned = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = h.wrapping_add(turned).wrapping_add(e & f ^ !e & g);
            let first = first.wrapping_add(keys[i]).wrapping_add(words[i]);
            let turned = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = turned.wrapping_add(a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second));
        }
        for (own, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *own = own.wrapping_add(new);
        }
    }
    std::array::from_fn(|i| state[i / 4].to_be_bytes()[i % 4])
}

/// RFC 2104, on SHA-256.
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    assert!(key.len() <= 64, "a longer key would be hashed first");
    let padded = |pad: u8| (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ pad).collect::<Vec<u8>>();
    let inner = sha256(&[padded(0x36), text.to_vec()].concat());
    sha256(&[padded(0x5c), inner.to_vec()].concat())
}

/// A CRC that begins with ones and ends inverted, by its reflected polynomial, bit by bit.
fn crc(bytes: &[u8], polynomial: u64, ones: u64) -> u64 {
    bytes.iter().fold(ones, |crc, byte| {
        (0..8).fold(crc ^ u64::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { polynomial } else { 0 })
    }) ^ ones
}

/// The checksum of the last word of `x-amz-checksum-…`, in base64; `None` for one that is not here.
pub fn checksum(name: &str, bytes: &[u8]) -> Option<String> {
    let four = |polynomial: u64| crc(bytes, polynomial, 0xffff_ffff).to_be_bytes()[4..].to_vec();
    let digest = match name {
        "sha256" => sha256(bytes).to_vec(),
        "crc32" => four(0xedb8_8320),
        "crc32c" => four(0x82f6_3b78),
        "crc64nvme" => crc(bytes, 0x9a6c_9329_ac4b_c9b5, !0).to_be_bytes().to_vec(),
        _ => return None,
    };
    Some(base64(&digest))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = bytes.chunks(3).flat_map(|three| {
        let number =
            three.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        (0..4).map(move |i| if i <= three.len() { char::from(LETTERS[number >> (18 - 6 * i) & 63]) } else { '=' })
    });
    letters.collect()
}

#[test]
fn digests_are_those_of_their_standards() {
    assert_eq!(hex(&md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(hex(&md5(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
    let digits = "1234567890".repeat(8);
    assert_eq!(hex(&md5(digits.as_bytes())), "57edf4a22be3c955ac49da2e2107b67a");
    assert_eq!(hex(&sha256(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_eq!(hex(&sha256(two_blocks)), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    // The check values of the catalogue of CRCs.
    for (name, value) in
        [("crc32", 0xcbf4_3926_u64 << 32), ("crc32c", 0xe306_9283 << 32), ("crc64nvme", 0xae8b_1486_0a79_9888)]
    {
        let length = if name == "crc64nvme" { 8 } else { 4 };
        assert_eq!(checksum(name, b"123456789"), Some(base64(&value.to_be_bytes()[..length])), "{name}");
    }
    assert_eq!(checksum("sha1", b""), None);
    assert_eq!(
        hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
        ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
    );
}
