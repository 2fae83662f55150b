//! Table files of RocksDB taken apart and put together again with other content and right checksums, as somebody might
//! who has nothing to do with the program.
//!
//! Source of the layout: RocksDB 11.8, `table/format.cc`; format version 6 with XXH3, without compression.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

const FOOTER_BYTES: usize = 53;
const TRAILER_BYTES: usize = 5;

/// A data block.
#[derive(Clone)]
pub struct DataBlock {
    /// What the index says that its last key is.
    pub end: Vec<u8>,
    pub bytes: Vec<u8>,
    /// How its trailer says that it is compressed.
    pub compression: u8,
}

/// Where a block lies, as an index says it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub offset: u64,
    pub bytes: u64,
}

/// What an index says of a block: what ends it, and where it is.
pub type IndexEntry = (Vec<u8>, Place);

/// What is done to what is written about blocks.
#[derive(Default)]
pub struct Lies {
    /// To the entries of the index.
    pub index: Option<fn(&mut Vec<IndexEntry>)>,
    /// To the block of the index.
    pub index_block: Option<fn(&mut Vec<u8>)>,
    /// To what the metaindex says of other blocks.
    pub metaindex: Option<fn(&mut BTreeMap<String, Place>)>,
    /// How many bytes of the metaindex the footer says.
    pub metaindex_bytes: Option<u32>,
}

/// A table file, taken apart.
#[derive(Clone)]
pub struct TableFile {
    pub path: PathBuf,
    pub blocks: Vec<DataBlock>,
    /// Filter and properties.
    others: Vec<(String, Vec<u8>)>,
    /// How many bytes it had, and has to have, since RocksDB's manifest says so.
    size: usize,
    footer: Vec<u8>,
    base: u32,
}

/// A key with its trailer, and a value.
pub type Entry = (Vec<u8>, Vec<u8>);

impl TableFile {
    /// The table file of a store that has the most bytes.
    pub fn largest(store: &Path) -> Self {
        let files = fs::read_dir(store.join("db")).unwrap().map(|entry| entry.unwrap().path());
        let tables = files.filter(|path| path.extension().is_some_and(|extension| extension == "sst"));
        Self::read(&tables.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap())
    }

    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (rest, footer) = bytes.split_at(bytes.len() - FOOTER_BYTES);
        let word = |at: usize| u32::from_le_bytes(footer[at..at + 4].try_into().unwrap());
        assert_eq!((footer[0], word(41)), (4, 6), "XXH3, format version 6");
        let metaindex_bytes = usize::try_from(word(13)).unwrap();
        let metaindex = &rest[rest.len() - TRAILER_BYTES - metaindex_bytes..rest.len() - TRAILER_BYTES];
        let at = |place: Place| {
            let from = usize::try_from(place.offset).unwrap();
            bytes[from..from + usize::try_from(place.bytes).unwrap()].to_vec()
        };
        let mut others = Vec::new();
        let (mut index, mut by_place) = (Vec::new(), Vec::new());
        for (name, value) in entries(metaindex) {
            let place = place_of(&mut value.as_slice());
            match String::from_utf8(name).unwrap() {
                name if name == "rocksdb.index" => index = at(place),
                name => by_place.push((place.offset, name, at(place))),
            }
        }
        by_place.sort();
        others.extend(by_place.into_iter().map(|(_, name, bytes)| (name, bytes)));
        let mut blocks = Vec::new();
        let mut rest = &index[..restarts_at(&index)];
        while !rest.is_empty() {
            assert_eq!(varint(&mut rest), 0, "an entry of an index is told in full");
            let length = usize::try_from(varint(&mut rest)).unwrap();
            let (end, behind) = rest.split_at(length);
            rest = behind;
            blocks.push(DataBlock { end: end.to_vec(), bytes: at(place_of(&mut rest)), compression: 0 });
        }
        let made = TableFile {
            path: path.to_owned(),
            blocks,
            others,
            size: bytes.len(),
            footer: footer.to_vec(),
            base: word(9),
        };
        assert!(made.bytes(&Lies::default()) == bytes, "what is put together again is what was taken apart");
        made
    }

    /// The number of a block in the middle that holds keys of histories alone.
    pub fn middle(&self) -> usize {
        let is_history = |key: &[u8]| key[0] == 0x11;
        let holds = |block: &DataBlock| entries(&block.bytes).iter().all(|(key, _)| is_history(key));
        let blocks: Vec<usize> = (0..self.blocks.len()).filter(|number| holds(&self.blocks[*number])).collect();
        assert!(blocks.len() > 3, "a table of several blocks of histories");
        blocks[blocks.len() / 2]
    }

    /// Has the filter say that there is nothing: no bit of it is set.
    pub fn empty_filter(&mut self) {
        let (_, filter) = self.others.iter_mut().find(|(name, _)| name.contains("filter")).unwrap();
        // The last five bytes say of which kind it is.
        let bits = filter.len() - 5;
        filter[..bits].fill(0);
    }

    /// Has a property of one byte say something else.
    pub fn change_property(&mut self, name: &str) {
        self.change_properties(|all| {
            let (_, value) = all.iter_mut().find(|(key, _)| key == name.as_bytes()).unwrap();
            value[0] ^= 1;
        });
    }

    fn change_properties(&mut self, change: impl FnOnce(&mut Vec<Entry>)) {
        let (_, properties) = self.others.iter_mut().find(|(name, _)| name == "rocksdb.properties").unwrap();
        let mut all = entries(properties);
        change(&mut all);
        // Only the first is told in full.
        *properties = block_of(&all, usize::MAX);
    }

    /// The entries of a block.
    pub fn entries(&self, block: usize) -> Vec<Entry> {
        entries(&self.blocks[block].bytes)
    }

    /// Gives a block other entries.
    pub fn set_entries(&mut self, block: usize, entries: &[Entry]) {
        self.blocks[block].bytes = block_of(entries, 16);
    }

    /// Writes the file anew, in as many bytes as it had: a property that nothing rests on makes room.
    pub fn write(&self, lies: &Lies) {
        let mut made = self.clone();
        if made.bytes(lies).len() > self.size {
            made.change_properties(|all| all.retain(|(name, _)| name != b"rocksdb.compression_options"));
        }
        let bytes = made.bytes(lies);
        assert_eq!(bytes.len(), self.size);
        fs::write(&self.path, bytes).unwrap();
    }

    fn bytes(&self, lies: &Lies) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut index = Vec::new();
        for block in &self.blocks {
            index.push((block.end.clone(), self.put(&mut bytes, &block.bytes, block.compression)));
        }
        if let Some(lie) = lies.index {
            lie(&mut index);
        }
        let (mut index_block, mut restarts) = (Vec::new(), Vec::new());
        for (key, place) in index {
            restarts.push(index_block.len());
            put_varint(&mut index_block, 0);
            put_varint(&mut index_block, key.len() as u64);
            index_block.extend(key);
            put_varint(&mut index_block, place.offset);
            put_varint(&mut index_block, place.bytes);
        }
        put_restarts(&mut index_block, &restarts);
        if let Some(lie) = lies.index_block {
            lie(&mut index_block);
        }
        let mut places = BTreeMap::new();
        // The index stands behind the filter and before the properties.
        for (name, block) in &self.others {
            if name == "rocksdb.properties" {
                places.insert("rocksdb.index".to_owned(), self.put(&mut bytes, &index_block, 0));
            }
            places.insert(name.clone(), self.put(&mut bytes, block, 0));
        }
        if let Some(lie) = lies.metaindex {
            lie(&mut places);
        }
        let entry = |(name, place): (String, Place)| {
            let mut value = Vec::new();
            put_varint(&mut value, place.offset);
            put_varint(&mut value, place.bytes);
            (name.into_bytes(), value)
        };
        let metaindex = block_of(&places.into_iter().map(entry).collect::<Vec<_>>(), 1);
        // Nothing rests on what lies between the blocks of other kinds.
        let full = bytes.len() + metaindex.len() + TRAILER_BYTES + FOOTER_BYTES;
        bytes.resize(bytes.len() + self.size.saturating_sub(full), 0);
        self.put(&mut bytes, &metaindex, 0);
        let mut footer = self.footer.clone();
        let announced = lies.metaindex_bytes.unwrap_or(u32::try_from(metaindex.len()).unwrap());
        footer[13..17].copy_from_slice(&announced.to_le_bytes());
        footer[5..9].fill(0);
        let (last, rest) = footer.split_last().unwrap();
        let checksum = mixed(rest, *last).wrapping_add(self.modifier(bytes.len()));
        footer[5..9].copy_from_slice(&checksum.to_le_bytes());
        [bytes, footer].concat()
    }

    /// Appends a block with its trailer.
    fn put(&self, bytes: &mut Vec<u8>, block: &[u8], compression: u8) -> Place {
        let offset = bytes.len();
        bytes.extend(block);
        bytes.push(compression);
        let checksum = mixed(block, compression).wrapping_add(self.modifier(offset));
        bytes.extend(checksum.to_le_bytes());
        Place { offset: offset as u64, bytes: block.len() as u64 }
    }

    fn modifier(&self, offset: usize) -> u32 {
        self.base ^ (offset as u32).wrapping_add((offset as u64 >> 32) as u32)
    }
}

fn mixed(bytes: &[u8], last: u8) -> u32 {
    (xxh3_64(bytes) as u32) ^ u32::from(last).wrapping_mul(0x6b90_83d9)
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return number;
        }
    }
}

pub fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
}

fn place_of(bytes: &mut &[u8]) -> Place {
    Place { offset: varint(bytes), bytes: varint(bytes) }
}

/// Where the list of restarts of a block begins.
pub fn restarts_at(block: &[u8]) -> usize {
    let count = u32::from_le_bytes(block[block.len() - 4..].try_into().unwrap());
    block.len() - 4 - 4 * usize::try_from(count).unwrap()
}

fn put_restarts(block: &mut Vec<u8>, restarts: &[usize]) {
    restarts.iter().for_each(|restart| block.extend(u32::try_from(*restart).unwrap().to_le_bytes()));
    block.extend(u32::try_from(restarts.len()).unwrap().to_le_bytes());
}

fn entries(block: &[u8]) -> Vec<Entry> {
    let (mut rest, mut key, mut found) = (&block[..restarts_at(block)], Vec::new(), Vec::new());
    while !rest.is_empty() {
        let mut number = || usize::try_from(varint(&mut rest)).unwrap();
        let (shared, own, length) = (number(), number(), number());
        key.truncate(shared);
        key.extend(&rest[..own]);
        found.push((key.clone(), rest[own..own + length].to_vec()));
        rest = &rest[own + length..];
    }
    found
}

/// A block of entries, of which each so-manieth tells its key in full.
fn block_of(entries: &[Entry], interval: usize) -> Vec<u8> {
    let (mut block, mut restarts, mut before): (_, _, &[u8]) = (Vec::new(), Vec::new(), &[]);
    for (number, (key, value)) in entries.iter().enumerate() {
        let is_restart = number % interval == 0;
        if is_restart {
            restarts.push(block.len());
        }
        let alike = key.iter().zip(before).take_while(|(one, other)| one == other).count();
        let shared = if is_restart { 0 } else { alike };
        for length in [shared, key.len() - shared, value.len()] {
            put_varint(&mut block, length as u64);
        }
        block.extend(&key[shared..]);
        block.extend(value);
        before = key;
    }
    put_restarts(&mut block, &restarts);
    block
}
